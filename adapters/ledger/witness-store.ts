import type { LedgerHead } from '../../domain/ports/signing-ledger.ts'
import type { WitnessStore } from '../../domain/ports/witness-store.ts'
import { type LedgerFile, openLedgerFile } from './ledger-file.ts'

/** Opens what a party has witnessed, and its own fence, in the file of its ledger. @throws LedgerCorrupt, Unavailable */
export function openWitnessStore({ file: path }: { file: string }): WitnessStore {
  const file = openLedgerFile(path)
  return {
    witnessed(partyId) {
      const found = file.witnessed(partyId)
      if (!found) return undefined
      return { partyId, ...headAt(found), signature: new Uint8Array(found.signature) }
    },
    keep(heads) {
      file.transaction(() => {
        for (const { partyId, sequence, hash, signature } of heads) file.putWitnessed(partyId, Number(sequence), hash, signature)
      })
    },
    confront(head) {
      file.transaction(() => {
        if (hasBeenAt(file, head)) return
        const fence = file.fence()
        if (!fence || head.sequence > BigInt(fence.sequence)) file.putFence(Number(head.sequence), head.hash)
      })
    },
    fence() {
      const fence = file.fence()
      return fence && headAt(fence)
    },
    close: file.close,
  }
}

/**
 * Whether the ledger has had this head, as far as it still knows: hashes that retention has dropped are not compared. What was signed before an operator lifted a
 * fence is settled, or whoever has kept such a head could have the party fenced again for ever.
 */
function hasBeenAt(file: LedgerFile, { sequence, hash }: LedgerHead): boolean {
  if (sequence <= BigInt(file.lastLift())) return true
  const row = file.covering(Number(sequence))
  return row !== undefined && (BigInt(row.sequence) > sequence || Buffer.compare(row.hash, hash) === 0)
}

export const headAt = ({ sequence, hash }: { sequence: number; hash: Uint8Array }): LedgerHead => ({
  sequence: BigInt(sequence),
  hash: new Uint8Array(hash),
})
