import { createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { softwareKey } from '../../adapters/identity/party-identity.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { readIfPresent, replacePrivateFile } from '../../adapters/keystore/private-file.ts'
import { readCheckpoint } from '../../domain/audit/checkpoint.ts'
import { ProofRefused } from '../../domain/audit/proof.ts'
import { type NoteKey, vkeyOf } from '../../domain/audit/signed-note.ts'
import { cosign } from '../../domain/audit/witness.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import { readNoteFile } from './keys.ts'
import { verifyProofs } from './proof.ts'

export type WitnessOptions = {
  /** File with the checkpoint to keep, and where it is kept. */
  checkpoint: string
  keep: string
  key: NoteKey
  /** Files with consistency proofs, which lead from the one that is kept. */
  proofs: readonly string[]
  /** Who signs what is kept, if anybody does. */
  witness: Identity | undefined
}

/** Keeps a checkpoint in place of the one before, from which it must go on; returns what was done, in sentences. @throws ProofRefused, NoteRefused */
export async function keepCheckpoint({ checkpoint: file, keep, key, proofs, witness }: WitnessOptions): Promise<string[]> {
  const note = await readNoteFile(file)
  const { checkpoint } = readCheckpoint(note, key, verifyIdentity)
  const isFirst = (await readIfPresent(keep)) === undefined
  if (!isFirst) {
    const before = readCheckpoint(await readNoteFile(keep), key, verifyIdentity).checkpoint
    if (checkpoint.size < before.size)
      throw new ProofRefused(
        'consistency_invalid',
        `${file}: of ${checkpoint.size} events only, where ${before.size} are kept: the log shows an old state`,
      )
    await verifyProofs({ proofs, key, kept: [keep], witnesses: [], checkpoints: [checkpoint] })
  }
  await replacePrivateFile(keep, Buffer.from(witness ? await cosign(note, witness, Math.floor(Date.now() / 1000)) : note))
  const said = `${keep}: the checkpoint of ${checkpoint.size} events of ${checkpoint.origin} (${checkpoint.time})`
  return [
    isFirst ? `${said}, the first that is kept` : `${said}, which goes on from the one before`,
    ...(witness ? [signedBy(witness)] : []),
  ]
}

/** An Ed25519 private key in PEM (PKCS#8), as `openssl genpkey -algorithm ed25519` makes one. */
export async function readWitness(name: string, file: string): Promise<Identity> {
  const key = createPrivateKey(await readFile(file))
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${file} does not hold an Ed25519 key`)
  return { id: name, ...softwareKey(key) }
}

const signedBy = ({ id, publicKey }: Identity) => `signed by ${vkeyOf({ name: id, kind: 'cosignature', publicKey })}`
