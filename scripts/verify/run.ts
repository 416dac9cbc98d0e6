import { ProofRefused } from '../../domain/audit/proof.ts'
import { NoteRefused } from '../../domain/audit/signed-note.ts'
import { ArchiveRefused } from './archive.ts'

/** Runs a check to its end: 0 and what holds, 1 and what does not, or 2 when it could not be carried out. */
export async function runVerification(check: () => Promise<readonly string[]>): Promise<void> {
  try {
    for (const line of await check()) console.log(line)
  } catch (error) {
    const isRefusal = error instanceof ProofRefused || error instanceof NoteRefused
    console.error(isRefusal ? `${error.code}: ${error.message}` : (error as Error).message)
    process.exitCode = isRefusal || error instanceof ArchiveRefused ? 1 : 2
  }
}
