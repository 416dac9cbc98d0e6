import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openKeystore } from '../keystore/vault.ts'
import { openCoordinatorIdentity } from './coordinator-identity.ts'
import { openPartyIdentity } from './party-identity.ts'
import { verifyIdentity } from './verify.ts'

const message = new TextEncoder().encode('said by party-1')
/** Cheap to derive: what is tested here is not the passphrase. */
const cost = { N: 2 ** 14, r: 8, p: 1 }

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-identity-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

const vaultIn = (dir: string, passphrase = 'for this test') => openKeystore({ dir: join(dir, 'keystore'), passphrase, cost })

test('a party has the same keys after every start, and others can check what it signs', async (t) => {
  const dir = await folder(t)
  const open = async () => openPartyIdentity({ partyId: 'party-1', dir, vault: await vaultIn(dir) })
  const [first, second] = [await open(), await open()]
  t.deepEqual(first.keys, second.keys)
  t.is(first.identity.id, 'party-1')
  t.deepEqual(first.identity.publicKey, first.keys.signing)
  const signature = await second.identity.sign(message)
  t.is(signature.length, 64)
  t.true(verifyIdentity(first.keys.signing, message, signature))
  t.false(verifyIdentity(first.keys.signing, message.slice(1), signature))
})

test('its keys are files for their owner only, in which the vault has sealed them', async (t) => {
  const dir = await folder(t)
  const { sealingKey } = await openPartyIdentity({ partyId: 'party-1', dir, vault: await vaultIn(dir) })
  const secret = sealingKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  const files = (await readdir(join(dir, 'identity'))).sort()
  t.deepEqual(files, ['sealing-key', 'signing-key'])
  for (const name of files) {
    const file = join(dir, 'identity', name)
    t.is((await stat(file)).mode & 0o777, 0o600)
    t.false((await readFile(file)).includes(secret))
  }
})

test('keys of another party, of another purpose, from another vault, or damaged, are refused', async (t) => {
  const dir = await folder(t)
  const vault = await vaultIn(dir)
  await openPartyIdentity({ partyId: 'party-1', dir, vault })
  const refused = { name: 'InvalidSetting', code: 'key_unreadable', message: /the vault of party-/ }
  await t.throwsAsync(openPartyIdentity({ partyId: 'party-2', dir, vault }), refused)
  const other = await folder(t)
  await t.throwsAsync(openPartyIdentity({ partyId: 'party-1', dir, vault: await vaultIn(other) }), refused)
  const [signing, sealing] = ['signing-key', 'sealing-key'].map((name) => join(dir, 'identity', name)) as [string, string]
  const sealed = await readFile(sealing)
  await writeFile(sealing, sealed.subarray(1))
  await t.throwsAsync(openPartyIdentity({ partyId: 'party-1', dir, vault }), refused)
  await writeFile(sealing, sealed)
  await rename(signing, `${signing}-aside`)
  await writeFile(signing, sealed)
  await t.throwsAsync(openPartyIdentity({ partyId: 'party-1', dir, vault }), refused)
})

test('a vault that shows another public key than it signs with is not believed', async (t) => {
  const dir = await folder(t)
  const keystore = await vaultIn(dir)
  const signingKey = async () => ({ publicKey: new Uint8Array(32).fill(7), sign: async () => new Uint8Array(64) })
  const opening = openPartyIdentity({ partyId: 'party-1', dir, vault: { ...keystore, signingKey } })
  await t.throwsAsync(opening, { code: 'key_unreadable' })
})

test('a coordinator has the same key after every start, in a file for its owner only', async (t) => {
  const dataDir = await folder(t)
  const open = () => openCoordinatorIdentity({ id: 'coordinator', dataDir })
  const [first, second] = [await open(), await open()]
  t.deepEqual(first.publicKey, second.publicKey)
  t.true(verifyIdentity(first.publicKey, message, await second.sign(message)))
  const file = join(dataDir, 'coordinator', 'identity')
  t.is((await stat(file)).mode & 0o777, 0o600)
  await chmod(file, 0o640)
  await t.throwsAsync(open(), { code: 'key_exposed' })
  await chmod(file, 0o600)
  await writeFile(file, 'no key')
  const error = await t.throwsAsync(open(), { code: 'key_unreadable' })
  t.notRegex(error.message, /no key/)
})

test('signatures of RFC 8032 hold, and what is malformed does not', (t) => {
  // §7.1, test 2.
  const publicKey = Buffer.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'hex')
  const signature = Buffer.from(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    'hex',
  )
  t.true(verifyIdentity(publicKey, Buffer.of(0x72), signature))
  t.false(verifyIdentity(publicKey, Buffer.of(0x73), signature))
  t.false(verifyIdentity(publicKey, Buffer.of(0x72), signature.subarray(1)))
  t.false(verifyIdentity(publicKey.subarray(1), Buffer.of(0x72), signature))
  // s plus the order of the group, which verifies where nobody looks.
  const malleated = Buffer.from(signature)
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order
  Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse().copy(malleated, 32)
  t.false(verifyIdentity(publicKey, Buffer.of(0x72), malleated))
})
