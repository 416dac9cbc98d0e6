import { readFile } from 'node:fs/promises'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import type { Checkpoint } from '../../domain/audit/checkpoint.ts'
import { isSame } from '../../domain/audit/merkle-tree.ts'
import { type Proof, ProofRefused, readProof, verifyConsistencyProof, verifyInclusionProof } from '../../domain/audit/proof.ts'
import type { NoteKey } from '../../domain/audit/signed-note.ts'
import { readWitnessed } from '../../domain/audit/witness.ts'
import { readNoteFile } from './keys.ts'

export type ProofOptions = {
  /** Files with what the API has answered. */
  proofs: readonly string[]
  key: NoteKey
  /** Files with checkpoints that were kept elsewhere. */
  kept: readonly string[]
  /** Witnesses that must have signed each of those. */
  witnesses: readonly NoteKey[]
  /** Others that must be consistent with what was kept. */
  checkpoints?: readonly Checkpoint[]
}

/** That the log goes on from one checkpoint to another. */
type Step = { from: Checkpoint; to: Checkpoint }

/**
 * Checks proofs with the public key alone, and that they lead to the checkpoints that were kept; returns what holds, in sentences.
 * @throws ProofRefused, NoteRefused, and what reading a file throws
 */
export async function verifyProofs({ proofs, key, kept, witnesses, checkpoints = [] }: ProofOptions): Promise<string[]> {
  const said: string[] = []
  const steps: Step[] = []
  const seen: Checkpoint[] = [...checkpoints]
  for (const file of proofs) {
    const proof = await named(file, async () => readProof(await readFile(file, 'utf8')))
    const checked = await named(file, async () => checkProof(proof, key))
    said.push(`${file}: ${checked.said}`)
    seen.push(...checked.seen)
    if (checked.step) steps.push(checked.step)
  }
  for (const file of kept) {
    const { checkpoint } = await named(file, async () => readWitnessed(await readNoteFile(file), key, witnesses, verifyIdentity))
    for (const each of seen) requireConnection(checkpoint, each, steps, file)
    const by = witnesses.length === 0 ? '' : `, and signed by ${witnesses.map(({ name }) => name).join(', ')}`
    said.push(`${file}: consistent with the checkpoint of ${checkpoint.size} events that was kept${by}`)
  }
  return said
}

function checkProof(proof: Proof, key: NoteKey): { said: string; seen: Checkpoint[]; step?: Step } {
  if (proof.kind === 'consistency') {
    const { from, to } = verifyConsistencyProof(proof, key, verifyIdentity)
    return {
      said: `the log has only grown, from ${from.size} events (${from.time}) to ${to.size} (${to.time})`,
      seen: [from, to],
      step: { from, to },
    }
  }
  const checkpoint = verifyInclusionProof(proof, key, verifyIdentity)
  const { id, type, stream } = JSON.parse(proof.leaf)
  const said = `event ${id} (${type} of ${stream}) is number ${proof.index} of the ${checkpoint.size} in the log of ${checkpoint.origin} at ${checkpoint.time}`
  return { said, seen: [checkpoint] }
}

/** A checkpoint is the one that was kept, or a proof leads from one to the other. @throws ProofRefused */
function requireConnection(kept: Checkpoint, seen: Checkpoint, steps: readonly Step[], file: string): void {
  if (kept.size === seen.size) {
    if (isSame(kept.root, seen.root)) return
    const times = `${kept.time} and ${seen.time}`
    throw new ProofRefused('consistency_invalid', `${file}: of ${kept.size} events the log has signed two stories, at ${times}`)
  }
  const leads = steps.some(({ from, to }) => (isOne(from, kept) && isOne(to, seen)) || (isOne(to, kept) && isOne(from, seen)))
  if (leads) return
  const [from, to] = [kept.size, seen.size].sort((a, b) => a - b)
  const missing = `add --proof with the answer of GET /v1/proofs/consistency?from=${from}&to=${to}`
  throw new ProofRefused('consistency_invalid', `${file}: nothing shows that ${to} events go on from ${from}: ${missing}`)
}

const isOne = (one: Checkpoint, other: Checkpoint) => one.size === other.size && isSame(one.root, other.root)

/** What is wrong is said with the name of the file. */
async function named<T>(file: string, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof Error) error.message = `${file}: ${error.message}`
    throw error
  }
}
