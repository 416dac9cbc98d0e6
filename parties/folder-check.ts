import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { UnsealFailed, type Vault } from '../domain/ports/vault.ts'
import { ProtocolAbort } from '../domain/threshold/protocol.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { associatedData, decodeStoredShare } from './share-record.ts'

export type CheckedShares = { shares: number; problems: string[] }

/**
 * Opens every share in a party's folder with its vault and makes sure that it is the party's and belongs to its public package. Each is in the clear
 * only for that long. The folder of shares is made when missing. @throws Unavailable
 */
export async function checkShares({ dir, partyId, vault }: { dir: string; partyId: string; vault: Vault }): Promise<CheckedShares> {
  const problems: string[] = []
  let shares = 0
  const root = join(dir, 'shares')
  await mkdir(root, { recursive: true, mode: 0o700 })
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter((each) => each.isFile() && each.name.endsWith('.json'))) {
    const file = join(entry.parentPath, entry.name)
    const problem = await whatIsWrong(file, { partyId, vault })
    if (problem === undefined) shares++
    else problems.push(`${relative(dir, file)}: ${problem}`)
  }
  return { shares, problems }
}

async function whatIsWrong(file: string, { partyId, vault }: { partyId: string; vault: Vault }): Promise<string | undefined> {
  const stored = decodeStoredShare(await readFile(file))
  if (!stored) return 'the file is damaged'
  const { record, sealed } = stored
  if (record.partyId !== partyId) return `it is a share of ${record.partyId}`
  let share: Uint8Array
  try {
    share = await vault.open(sealed, associatedData(record))
  } catch (error) {
    if (error instanceof UnsealFailed) return 'the vault does not open it'
    throw error
  }
  try {
    protocolOf(record.scheme).checkShare({
      share: new Uint8Array(share.buffer, share.byteOffset, share.byteLength),
      publicPackage: record.publicPackage,
    })
    return undefined
  } catch (error) {
    if (error instanceof ProtocolAbort) return error.message
    throw error
  } finally {
    share.fill(0)
  }
}
