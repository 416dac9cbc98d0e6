import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openKeystore } from './vault.ts'

const CHEAP = { N: 4_096, r: 8, p: 1 }

function makeDir(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'quorate-keystore-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

test('a wrong passphrase is refused at opening, and the refusal does not repeat it', async (t) => {
  const dir = makeDir(t)
  await (await openKeystore({ dir, passphrase: 'right', cost: CHEAP })).close()
  const error = await t.throwsAsync(openKeystore({ dir, passphrase: 'wrong one', cost: CHEAP }), {
    name: 'KeystoreRefused',
    code: 'passphrase_wrong',
  })
  t.notRegex(`${error?.stack}`, /wrong one/)
})

test('the header is one file that only its owner may read, and holds no key', async (t) => {
  const dir = join(makeDir(t), 'new')
  const vault = await openKeystore({ dir, passphrase: 'right' })
  t.teardown(() => vault.close())
  t.deepEqual(readdirSync(dir), ['keystore.json'])
  t.is(statSync(join(dir, 'keystore.json')).mode & 0o777, 0o600)
  const header = JSON.parse(readFileSync(join(dir, 'keystore.json'), 'utf8'))
  t.like(header, { version: 1, kdf: { name: 'scrypt', N: 131_072, r: 8, p: 1 } })
})

test('openings that race for a new keystore end up with the same key', async (t) => {
  const dir = makeDir(t)
  const vaults = await Promise.all([1, 2, 3].map(() => openKeystore({ dir, passphrase: 'right', cost: CHEAP })))
  t.teardown(() => Promise.all(vaults.map((vault) => vault.close())))
  const sealed = await vaults[0]!.seal(Buffer.from('secret'), Buffer.of())
  for (const vault of vaults) t.is(Buffer.from(await vault.open(sealed, Buffer.of())).toString(), 'secret')
  t.deepEqual(readdirSync(dir), ['keystore.json'])
})

test('a header with a changed cost does not open, even with the right passphrase', async (t) => {
  const dir = makeDir(t)
  await (await openKeystore({ dir, passphrase: 'right', cost: CHEAP })).close()
  const file = join(dir, 'keystore.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('4096', '1024'))
  await t.throwsAsync(openKeystore({ dir, passphrase: 'right', cost: CHEAP }), { code: 'passphrase_wrong' })
})
