import test from 'ava'
import { OpenFailed } from '../../domain/ports/sealing.ts'
import { hpkeSealing } from './sealing.ts'

const secret = new TextEncoder().encode('a secret share')
const context = new TextEncoder().encode('from 1 to 2')

test('the recipient opens what was sealed to its key', async (t) => {
  const recipient = hpkeSealing.generateKeyPair()
  const sealed = await hpkeSealing.seal(recipient.publicKey, secret, context)
  t.deepEqual(await recipient.open(sealed, context), secret)
  t.is(recipient.publicKey.length, 32)
  t.false(Buffer.from(sealed).includes(Buffer.from(secret)))
})

test('nobody else opens it, nor in another context, nor altered', async (t) => {
  const recipient = hpkeSealing.generateKeyPair()
  const sealed = await hpkeSealing.seal(recipient.publicKey, secret, context)
  const expected = { instanceOf: OpenFailed }
  await t.throwsAsync(hpkeSealing.generateKeyPair().open(sealed, context), expected)
  await t.throwsAsync(recipient.open(sealed, new TextEncoder().encode('from 1 to 3')), expected)
  for (const at of [0, 31, 32, sealed.length - 1]) {
    const altered = sealed.slice()
    altered[at]! ^= 1
    await t.throwsAsync(recipient.open(altered, context), expected)
  }
  for (const length of [0, 31, 32, 47]) await t.throwsAsync(recipient.open(sealed.subarray(0, length), context), expected)
})

test('a destroyed key opens nothing', async (t) => {
  const recipient = hpkeSealing.generateKeyPair()
  const sealed = await hpkeSealing.seal(recipient.publicKey, secret, context)
  recipient.destroy()
  await t.throwsAsync(recipient.open(sealed, context), { instanceOf: OpenFailed })
})

test('nothing is sealed to what is not a key', async (t) => {
  for (const key of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(33), new Uint8Array(32)])
    await t.throwsAsync(hpkeSealing.seal(key, secret, context), { instanceOf: OpenFailed })
})
