import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { readOrCreatePassphrase } from './passphrase.ts'

function fileName(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'quorate-passphrase-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'party', 'passphrase')
}

test('a passphrase is made once, for its owner only, and read from then on', async (t) => {
  const file = fileName(t)
  const [first, racing] = await Promise.all([readOrCreatePassphrase(file), readOrCreatePassphrase(file)])
  t.is(first?.length, 32)
  t.deepEqual(first, racing)
  t.deepEqual(await readOrCreatePassphrase(file), first!)
  t.is(statSync(file).mode & 0o777, 0o600)
  t.deepEqual(readdirSync(join(file, '..')), ['passphrase'])
})

test('two files hold different passphrases', async (t) => {
  t.notDeepEqual(await readOrCreatePassphrase(fileName(t)), await readOrCreatePassphrase(fileName(t)))
})

test('a passphrase that others may read, or of another length, is refused', async (t) => {
  const file = fileName(t)
  await readOrCreatePassphrase(file)
  chmodSync(file, 0o640)
  await t.throwsAsync(readOrCreatePassphrase(file), { code: 'passphrase_file_exposed' })
  writeFileSync(file, 'short')
  await t.throwsAsync(readOrCreatePassphrase(file), { code: 'passphrase_file_invalid' })
})
