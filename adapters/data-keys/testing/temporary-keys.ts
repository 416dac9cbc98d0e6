import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { DataKeys } from '../../../domain/ports/data-keys.ts'
import { openKeystore } from '../../keystore/vault.ts'
import { openKeyFolder } from '../key-folder.ts'

const CHEAP = { N: 4_096, r: 8, p: 1 }

/** Data keys in a folder that goes with the test; opened again, as another process would open it, with the `dir` of the first. */
export async function temporaryDataKeys(
  t: ExecutionContext,
  { dir = temporaryFolder(t), rememberMs }: { dir?: string; rememberMs?: number } = {},
): Promise<{ dir: string; keys: DataKeys }> {
  const vault = await openKeystore({ dir: join(dir, 'keystore'), passphrase: 'of a test', cost: CHEAP })
  const keys = openKeyFolder({ dir, vault, ...(rememberMs !== undefined && { rememberMs }) })
  t.teardown(() => keys.close())
  return { dir, keys }
}

export function temporaryFolder(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'quorate-data-keys-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
