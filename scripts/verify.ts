import { parseArgs } from 'node:util'
import { readKey } from './verify/keys.ts'
import { verifyProofs } from './verify/proof.ts'
import { runVerification } from './verify/run.ts'

const USAGE = `usage: npm run --silent verify -- --proof FILE [--proof FILE …] --key VKEY|FILE [--witness FILE …] [--witness-key VKEY|FILE …]

  --proof        what GET /v1/proofs/inclusion or /v1/proofs/consistency has answered
  --key          the log's public key: its vkey, or the file that it is in (<data folder>/audit/vkey)
  --witness      a checkpoint that was kept elsewhere, to which the proofs must lead
  --witness-key  the vkey of a witness that must have signed it`

/** `npm run verify`: checks offline, with public keys alone. */
await runVerification(async () => {
  const many = { type: 'string', multiple: true, default: [] as string[] } as const
  const { values } = parseArgs({ options: { proof: many, key: { type: 'string' }, witness: many, 'witness-key': many } })
  if (values.proof.length === 0 || values.key === undefined) throw new Error(USAGE)
  return verifyProofs({
    proofs: values.proof,
    key: await readKey(values.key),
    kept: values.witness,
    witnesses: await Promise.all(values['witness-key'].map(readKey)),
  })
})
