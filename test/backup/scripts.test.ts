import { execFile } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openPartyIdentity } from '../../adapters/identity/party-identity.ts'
import { readFence } from '../../adapters/ledger/fence.ts'
import { ledgerFileIn } from '../../adapters/ledger/ledger-file.ts'
import { openSigningLedger } from '../../adapters/ledger/signing-ledger.ts'
import { openPartyVault } from '../../adapters/vault/party-vault.ts'
import { encodePolicy } from '../../domain/authorisation/key-policy.ts'
import type { SigningLedger } from '../../domain/ports/signing-ledger.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { openShareStore } from '../../parties/share-store.ts'
import { newClaim } from '../contract/signing-ledger.ts'

const SCRIPTS = join(import.meta.dirname, '../../scripts')
const PARTY = 'party-1'

let work: string
let ledger: SigningLedger
const dataDir = () => join(work, 'data')
const dir = () => join(dataDir(), 'parties', PARTY)

const policy = encodePolicy({ version: 1, walletId: 'w', clientKeys: [], rawDigests: false, approvals: null, presignatures: 10 })

/** A party's folder with a share of each scheme, a key that is revoked, and a ledger that is in use. */
test.before(async () => {
  work = await mkdtemp(join(tmpdir(), 'quorate-scripts-'))
  await mkdir(dir(), { recursive: true })
  const vault = await openPartyVault({ partyId: PARTY, dir: dir(), token: undefined })
  await openPartyIdentity({ partyId: PARTY, dir: dir(), vault })
  const shares = await openShareStore({ dir: dir(), partyId: PARTY, vault })
  for (const scheme of FROST_SCHEMES) {
    const { share, publicKey, publicPackage } = generateAlone(scheme)
    await shares.keep(
      { keyId: randomUUID(), attempt: 1, epoch: 1, scheme, threshold: 1, parties: [PARTY], publicKey, publicPackage, policy },
      share,
    )
  }
  await shares.revoke(randomUUID())
  await vault.close()
  ledger = openSigningLedger({ file: ledgerFileIn(dir()) })
  for (let n = 0; n < 3; n++) await ledger.claim(newClaim())
  await writeFile(join(work, 'passphrase'), 'a passphrase for tests\n', { mode: 0o600 })
})
test.after.always(async () => {
  await ledger?.close()
  await rm(work, { recursive: true, force: true })
})

test.serial('a drill restores a running party and opens every share, and leaves its folder alone', async (t) => {
  const before = await digests(dir())
  const { code, said } = await run('drill', dataDir(), '--party', PARTY)
  t.is(code, 0, said)
  t.regex(said, /2 shares open with .* and match their public packages; 3 entries of the ledger verified/)
  t.deepEqual(await digests(dir()), before)
  t.is(ledger.head().sequence, 3n)
})

test.serial('a backup is drilled and restored', async (t) => {
  const archive = join(work, 'archive')
  const with_ = ['--passphrase-file', join(work, 'passphrase')]
  const backup = await run('backup-party', dataDir(), '--party', PARTY, '--to', archive, ...with_)
  t.is(backup.code, 0, backup.said)
  const drill = await run('drill', join(work, 'nowhere'), '--party', PARTY, '--archive', archive, ...with_)
  t.is(drill.code, 0, drill.said)
  const restored = join(work, 'restored')
  const restore = ['restore-party', restored, '--party', PARTY, '--from', archive, ...with_] as const
  const { code, said } = await run(...restore)
  t.is(code, 0, said)
  t.regex(said, /2 shares open with .*, 3 entries in its ledger/)
  t.regex(said, /party-1 starts fenced.*\nnpm run unfence -- --party party-1 --reason TEXT\n$/)
  const fence = { sequence: 3n, hash: ledger.head().hash }
  t.deepEqual(readFence(ledgerFileIn(join(restored, 'parties', PARTY))), { head: fence, witnessed: fence })
  const again = await run(...restore)
  t.is(again.code, 1)
  t.regex(again.said, /is not empty/)
  const other = await run('restore-party', restored, '--party', 'party-2', '--from', archive, ...with_)
  t.is(other.code, 1, 'another party has no use for it')
  t.deepEqual(await readdir(join(restored, 'parties')), [PARTY])
})

test.serial('a drill names what would be lost', async (t) => {
  const damages: { [why: string]: (share: { [field: string]: string }) => void } = {
    'the vault does not open it': (share) => (share.sealed = flipped(share.sealed!)),
    'the file is damaged': (share) => (share.scheme = 'unknown'),
    'the public package is not the one the share was generated with': (share) => (share.publicPackage = flipped(share.publicPackage!)),
  }
  for (const [why, damage] of Object.entries(damages)) {
    const copy = join(work, randomUUID())
    await cp(dataDir(), copy, { recursive: true })
    const folder = join(copy, 'parties', PARTY, 'shares')
    const [file] = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.json')) as [string]
    const share = JSON.parse(await readFile(join(folder, file), 'utf8'))
    damage(share)
    await writeFile(join(folder, file), JSON.stringify(share))
    const { code, said } = await run('drill', copy, '--party', PARTY)
    t.is(code, 1)
    t.true(said.includes(file) && said.includes(why), said)
  }
})

test.serial('a passphrase that others can read, or that is short, is refused', async (t) => {
  const archive = join(work, 'never')
  await writeFile(join(work, 'exposed'), 'a passphrase for tests', { mode: 0o644 })
  await writeFile(join(work, 'short'), 'short\n', { mode: 0o600 })
  for (const [name, why] of [
    ['exposed', /mode 0600/],
    ['short', /at least 12 bytes/],
  ] as const) {
    const { code, said } = await run('backup-party', dataDir(), '--party', PARTY, '--to', archive, '--passphrase-file', join(work, name))
    t.is(code, 1)
    t.regex(said, why)
  }
  t.is((await run('backup-party', dataDir(), '--party', PARTY, '--to', archive)).code, 1, 'nobody types one')
})

function run(script: string, data: string, ...args: readonly string[]): Promise<{ code: number; said: string }> {
  const env = { ...process.env, QUORATE_DATA_DIR: data }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [join(SCRIPTS, `${script}.js`), ...args], { env, timeout: 60_000 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, said: out + err }),
    )
    child.stdin?.end()
  })
}

function generateAlone(scheme: Scheme) {
  const rng = (length: number) => new Uint8Array(randomBytes(length))
  const participant = protocolOf(scheme).keyGeneration({ self: 1, threshold: 1, parties: 1, context: randomBytes(8), rng })
  for (let said = participant.opening; ; ) {
    const step = participant.next({ broadcasts: new Map([[1, said.broadcast]]), secrets: new Map() })
    if (step.kind === 'done') return step.result
    said = step.outgoing
  }
}

const flipped = (hex: string) => hex.slice(0, -1) + (hex.endsWith('0') ? '1' : '0')

/** Of every file but those of the ledger, which this process has open: to read and close them would give up SQLite's locks. */
async function digests(folder: string): Promise<{ [file: string]: string }> {
  const found: { [file: string]: string } = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile() && !file.includes('ledger.db'))
      found[file] = createHash('sha256')
        .update(await readFile(file))
        .digest('hex')
  }
  return found
}
