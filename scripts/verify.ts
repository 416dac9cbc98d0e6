import { parseArgs } from 'node:util'
import { readSettings } from '../adapters/process/settings.ts'
import { verifyArchiveAt } from './verify/archive.ts'
import { readKey, readNoteFile } from './verify/keys.ts'
import { verifyProofs } from './verify/proof.ts'
import { runVerification } from './verify/run.ts'

const USAGE = `usage: npm run --silent verify -- --archive PLACE --key VKEY|FILE [--witness FILE …]
       npm run --silent verify -- --proof FILE [--proof FILE …] --key VKEY|FILE [--witness FILE …] [--witness-key VKEY|FILE …]

  --archive      a folder, or s3://bucket/prefix
  --proof        what GET /v1/proofs/inclusion or /v1/proofs/consistency has answered
  --key          the log's public key: its vkey, or the file that it is in (<data folder>/audit/vkey)
  --witness      a checkpoint that was kept elsewhere, to which the proofs must lead, and which the archive must hold
  --witness-key  the vkey of a witness that must have signed it`

/** `npm run verify`: checks offline, with public keys alone. */
await runVerification(async () => {
  const many = { type: 'string', multiple: true, default: [] as string[] } as const
  const { values } = parseArgs({
    options: { archive: { type: 'string' }, proof: many, key: { type: 'string' }, witness: many, 'witness-key': many },
  })
  if (values.key === undefined || (values.archive === undefined) === (values.proof.length === 0)) throw new Error(USAGE)
  if (values.archive !== undefined) {
    const kept = await Promise.all(values.witness.map(readNoteFile))
    return verifyArchiveAt(values.archive, await readKey(values.key), kept, readSettings(process.env))
  }
  return verifyProofs({
    proofs: values.proof,
    key: await readKey(values.key),
    kept: values.witness,
    witnesses: await Promise.all(values['witness-key'].map(readKey)),
  })
})
