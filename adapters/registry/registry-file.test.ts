import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import test, { type ExecutionContext } from 'ava'
import { publicKeyOf } from '../identity/raw-key.ts'
import { coordinatorEntry, partyEntry, type RegistryEntries } from './entries.ts'
import { createRegistry, readRegistry, requireEnrolledCoordinator, requireEnrolledParty } from './registry-file.ts'

const freshKeys = () => ({
  signing: publicKeyOf(generateKeyPairSync('ed25519').privateKey),
  sealing: publicKeyOf(generateKeyPairSync('x25519').privateKey),
})

const [one, two, three] = [freshKeys(), freshKeys(), freshKeys()]
const entries: RegistryEntries = {
  version: 1,
  parties: [partyEntry('party-1', one), partyEntry('party-2', two)],
  coordinators: [coordinatorEntry('coordinator', three.signing)],
}
const [first, second] = entries.parties as [RegistryEntries['parties'][number], RegistryEntries['parties'][number]]

async function registryFile(t: ExecutionContext, content?: unknown): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-registry-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const file = join(dir, 'registry.json')
  if (content !== undefined) await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

test('a registry is read as it was written, and never written again', async (t) => {
  const file = await registryFile(t)
  await createRegistry(file, entries)
  t.is((await stat(file)).mode & 0o777, 0o600)
  const registry = await readRegistry(file)
  t.deepEqual(
    [...registry.parties],
    [
      ['party-1', one],
      ['party-2', two],
    ],
  )
  t.deepEqual([...registry.coordinators], [['coordinator', three.signing]])
  const before = await readFile(file)
  await createRegistry(file, { ...entries, parties: [partyEntry('party-1', freshKeys())] })
  t.deepEqual(await readFile(file), before)
})

test('who is not in the registry, or has other keys there, is told so', async (t) => {
  const registry = await readRegistry(await registryFile(t, entries))
  t.notThrows(() => requireEnrolledParty(registry, 'party-1', one))
  t.notThrows(() => requireEnrolledCoordinator(registry, 'coordinator', three.signing))
  t.throws(() => requireEnrolledParty(registry, 'party-3', one), {
    code: 'not_enrolled',
    message: /npm run --silent enrol -- --party party-3/,
  })
  t.throws(() => requireEnrolledCoordinator(registry, 'party-1', one.signing), { code: 'not_enrolled', message: /--coordinator party-1/ })
  for (const keys of [two, { ...one, sealing: two.sealing }, { ...one, signing: two.signing }])
    t.throws(() => requireEnrolledParty(registry, 'party-1', keys), { code: 'key_not_enrolled', message: /the keys of party-1/ })
  t.throws(() => requireEnrolledCoordinator(registry, 'coordinator', one.signing), { code: 'key_not_enrolled' })
})

/** A point of order eight, one of order two, the identity, and a sound key with something of order eight added. */
const torsion = ed25519.Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
const mixed = ed25519.Point.fromBytes(one.signing).add(torsion).toHex()
const UNSOUND_SIGNING = [torsion.toHex(), 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', `01${'00'.repeat(31)}`, mixed]
/** p + 1 is 1 in another spelling; for u = 2 there is no point. */
const NO_POINTS = [`ee${'ff'.repeat(30)}7f`, `02${'00'.repeat(31)}`]
/** 0, 1, a point of order eight, and p + 9, which is the base point in another spelling. */
const UNSOUND_SEALING = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  `f6${'ff'.repeat(30)}7f`,
]

const wrong: { readonly [why: string]: readonly [content: unknown, message: RegExp] } = {
  'not JSON': ['{', /is not JSON/],
  'not an object': [null, /the registry must have exactly version, parties, coordinators/],
  'another version': [{ ...entries, version: 2 }, /version must be 1/],
  'a field too many': [{ ...entries, admins: [] }, /the registry must have exactly/],
  'a field too many in an entry': [
    { ...entries, parties: [{ ...first, role: 'x' }] },
    /parties\[0\] must have exactly id, ed25519, x25519/,
  ],
  'a party without a key': [{ ...entries, parties: [{ id: 'a', ed25519: first.ed25519 }] }, /parties\[0\]/],
  'no list': [{ ...entries, coordinators: {} }, /coordinators must be a list/],
  'a list without end': [{ ...entries, parties: Array(257).fill(first) }, /at most 256/],
  'an id that is no name': [{ ...entries, parties: [{ ...first, id: '../x' }] }, /parties\[0\]\.id must be/],
  'an id twice': [{ ...entries, parties: [first, { ...second, id: 'party-1' }] }, /parties\[1\]\.id stands there twice/],
  'a party that is a coordinator too': [
    { ...entries, coordinators: [{ ...entries.coordinators[0], id: 'party-1' }] },
    /coordinators\[0\]\.id stands there twice/,
  ],
  'a signing key twice': [
    { ...entries, parties: [first, { ...second, ed25519: first.ed25519 }] },
    /parties\[1\]\.ed25519 stands there twice/,
  ],
  'a sealing key twice': [{ ...entries, parties: [first, { ...second, x25519: first.x25519 }] }, /parties\[1\]\.x25519 stands there twice/],
  'a key of another length': [{ ...entries, parties: [{ ...first, ed25519: 'ab' }] }, /parties\[0\]\.ed25519 must be 64 hexadecimal/],
  'a key in upper case': [{ ...entries, parties: [{ ...first, ed25519: first.ed25519.toUpperCase() }] }, /parties\[0\]\.ed25519 must be/],
}

for (const [why, [content, message]] of Object.entries(wrong)) {
  test(`a registry with ${why} is refused, and the message says where`, async (t) => {
    await t.throwsAsync(readRegistry(await registryFile(t, content)), { name: 'InvalidSetting', message })
  })
}

test('keys with which anybody could sign, or agree on a secret, are refused', async (t) => {
  for (const ed25519 of [...UNSOUND_SIGNING, ...NO_POINTS])
    await t.throwsAsync(readRegistry(await registryFile(t, { ...entries, parties: [{ ...first, ed25519 }] })), {
      message: /parties\[0\]\.ed25519 is not a sound public key/,
    })
  for (const x25519 of UNSOUND_SEALING)
    await t.throwsAsync(readRegistry(await registryFile(t, { ...entries, parties: [{ ...first, x25519 }] })), {
      message: /parties\[0\]\.x25519 is not a sound public key/,
    })
})

test('a registry that is not there, or longer than it may be, is refused by name', async (t) => {
  await t.throwsAsync(readRegistry(await registryFile(t)), { message: /QUORATE_REGISTRY: there is no file .*npm run enrol/ })
  await t.throwsAsync(readRegistry(await registryFile(t, ' '.repeat(256 * 1024 + 1))), { message: /longer than/ })
})
