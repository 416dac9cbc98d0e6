import { parseArgs } from 'node:util'
import { readKey } from './verify/keys.ts'
import { runVerification } from './verify/run.ts'
import { keepCheckpoint, readWitness } from './verify/witness.ts'

const USAGE = `usage: npm run --silent witness -- --checkpoint FILE --key VKEY|FILE --keep FILE [--proof FILE …] [--name NAME --signing-key FILE]

  --checkpoint   what GET /v1/checkpoints/latest has answered, or the note alone
  --key          the log's public key: its vkey, or the file that it is in
  --keep         where the checkpoint is kept, in place of the one before
  --proof        what GET /v1/proofs/consistency has answered, from the one before to this one
  --signing-key  Ed25519 private key in PEM, to say under this name that it was seen, and nothing that contradicts it`

/** `npm run witness`: keeps the newest checkpoint of a log that has only grown. */
await runVerification(async () => {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      checkpoint: text,
      key: text,
      keep: text,
      proof: { type: 'string', multiple: true, default: [] },
      name: text,
      'signing-key': text,
    },
  })
  const { checkpoint, key, keep, proof, name, 'signing-key': file } = values
  if (!checkpoint || !key || !keep || (name === undefined) !== (file === undefined)) throw new Error(USAGE)
  const witness = name === undefined || file === undefined ? undefined : await readWitness(name, file)
  return keepCheckpoint({ checkpoint, keep, key: await readKey(key), proofs: proof, witness })
})
