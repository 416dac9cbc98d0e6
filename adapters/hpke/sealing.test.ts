import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { OpenFailed } from '../../domain/ports/sealing.ts'
import { hpkeSealing } from './sealing.ts'

const { privateKey, publicKey } = generateKeyPairSync('x25519')
const sealing = hpkeSealing(privateKey)
const sender = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
const secret = new TextEncoder().encode('a secret share')
const context = new TextEncoder().encode('from 1 to 2')

test('the recipient opens what was sealed to its key', async (t) => {
  const recipient = sealing.generateKeyPair()
  const sealed = await sealing.seal(recipient.publicKey, secret, context)
  t.deepEqual(await recipient.open(sealed, context, sender), secret)
  t.is(recipient.publicKey.length, 32)
  t.false(Buffer.from(sealed).includes(Buffer.from(secret)))
})

test('nobody else opens it, nor in another context, nor altered', async (t) => {
  const recipient = sealing.generateKeyPair()
  const sealed = await sealing.seal(recipient.publicKey, secret, context)
  const expected = { instanceOf: OpenFailed }
  await t.throwsAsync(sealing.generateKeyPair().open(sealed, context, sender), expected)
  await t.throwsAsync(recipient.open(sealed, new TextEncoder().encode('from 1 to 3'), sender), expected)
  for (const at of [0, 31, 32, sealed.length - 1]) {
    const altered = sealed.slice()
    altered[at]! ^= 1
    await t.throwsAsync(recipient.open(altered, context, sender), expected)
  }
  for (const length of [0, 31, 32, 47]) await t.throwsAsync(recipient.open(sealed.subarray(0, length), context, sender), expected)
})

test('what somebody else has sealed does not open as of the sender', async (t) => {
  const recipient = sealing.generateKeyPair()
  const forged = await hpkeSealing(generateKeyPairSync('x25519').privateKey).seal(recipient.publicKey, secret, context)
  await t.throwsAsync(recipient.open(forged, context, sender), { instanceOf: OpenFailed })
  await t.throwsAsync(recipient.open(forged, context, new Uint8Array(32)), { instanceOf: OpenFailed })
})

test('a destroyed key opens nothing', async (t) => {
  const recipient = sealing.generateKeyPair()
  const sealed = await sealing.seal(recipient.publicKey, secret, context)
  recipient.destroy()
  await t.throwsAsync(recipient.open(sealed, context, sender), { instanceOf: OpenFailed })
})

test('nothing is sealed to what is not a key', async (t) => {
  for (const key of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(33), new Uint8Array(32)])
    await t.throwsAsync(sealing.seal(key, secret, context), { instanceOf: OpenFailed })
})
