/** Claims as fast as it can, 16 at a time, and says on standard output that it begins, by an empty line, and what was acknowledged, until it is killed. Arguments: the ledger's file, a name. */
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { openSigningLedger } from '../../adapters/ledger/signing-ledger.ts'
import { ClaimRefused } from '../../domain/ports/signing-ledger.ts'

/** An acknowledged claim, as a line of JSON. */
export type Acknowledged = { once: string; sessionId: string; slot: string; digest: string; answer: string }

const AT_ONCE = 16
const [file, round] = process.argv.slice(2) as [string, string]
const ledger = openSigningLedger({ file })

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

async function claim(n: number): Promise<void> {
  // Another process claims the same sessions and slots, over other digests; or other transactions, in sessions of its own, for the same transfer.
  const once = `session-${round}-${n}-`
  const isTransfer = n % 2 === 1
  const [sessionId, slot] = isTransfer ? [`${once}${process.pid}`, `slot ${round} ${n} ${process.pid}`] : [once, `slot ${round} ${n}`]
  const [digest, answer] = [randomBytes(32), randomBytes(64)]
  const transaction = isTransfer ? { transferId: once, walletId: 'wallet', digest, lifetimeMs: null, replacement: null, moves: null } : null
  try {
    await ledger.claim({
      keyId: 'key',
      sessionId,
      attempt: 1,
      requestDigest: randomBytes(32),
      digest,
      slots: [slot],
      transaction,
      intents: [],
      answer,
    })
    writeSync(1, `${JSON.stringify({ once, sessionId, slot, digest: hex(digest), answer: hex(answer) } satisfies Acknowledged)}\n`)
  } catch (error) {
    if (!(error instanceof ClaimRefused)) throw error
  }
}

writeSync(1, '\n')
for (let n = 0; ; n += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => claim(n + i)))
