import { parseArgs } from 'node:util'
import { ProofRefused } from '../domain/audit/proof.ts'
import { NoteRefused } from '../domain/audit/signed-note.ts'
import { readKey } from './verify/keys.ts'
import { verifyProofs } from './verify/proof.ts'

const USAGE = `usage: npm run --silent verify -- --proof FILE [--proof FILE …] --key VKEY|FILE [--witness FILE …] [--witness-key VKEY|FILE …]

  --proof        what GET /v1/proofs/inclusion or /v1/proofs/consistency has answered
  --key          the log's public key: its vkey, or the file that it is in (<data folder>/audit/vkey)
  --witness      a checkpoint that was kept elsewhere, to which the proofs must lead
  --witness-key  the vkey of a witness that must have signed it`

/** Ends with 0 when everything holds, with 1 when something does not, and with 2 when it was not asked for anything. */
try {
  for (const line of await verify()) console.log(line)
} catch (error) {
  const isRefusal = error instanceof ProofRefused || error instanceof NoteRefused
  console.error(isRefusal ? `${error.code}: ${error.message}` : (error as Error).message)
  process.exit(isRefusal ? 1 : 2)
}

/** `npm run verify`: checks offline, with public keys alone. */
async function verify(): Promise<string[]> {
  const many = { type: 'string', multiple: true, default: [] as string[] } as const
  const { values } = parseArgs({ options: { proof: many, key: { type: 'string' }, witness: many, 'witness-key': many } })
  if (values.proof.length === 0 || values.key === undefined) throw new Error(USAGE)
  return verifyProofs({
    proofs: values.proof,
    key: await readKey(values.key),
    kept: values.witness,
    witnesses: await Promise.all(values['witness-key'].map(readKey)),
  })
}
