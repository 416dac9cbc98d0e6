import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file as `QUORATE_CHAINS` names it, with what is said of each chain, in a folder of its own. */
export async function chainsFile(chains: { readonly [id: string]: unknown }): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-chains-'))
  const path = join(folder, 'chains.json')
  await writeFile(path, JSON.stringify(chains))
  return { path, remove: () => rm(folder, { recursive: true }) }
}
