import { hexToBytes } from '@noble/hashes/utils.js'
import type { Chains } from '../domain/ports/chain.ts'
import type { Document } from '../domain/ports/documents.ts'
import type { JsonObject } from '../domain/ports/event-log.ts'
import type { MadeSignature } from '../domain/ports/transaction-codec.ts'
import { sessionIdOf } from '../domain/signing-session/session-id.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import { Problem } from '../http/problem.ts'
import { route } from '../http/route.ts'
import { type AsOf, olderOf, type ReadModels, readDocument } from './read-model.ts'
import { TRANSFER_PSBT } from './shapes.ts'

/** Transactions that one transfer may have, as far as they can be named. */
const MAX_VERSION = 1_000
/** Attempts at a signature that are looked through. */
const MAX_ATTEMPTS = 10

type Built = { readonly version: number; readonly as: string; readonly sessionIds: readonly string[] }

export const getTransferPsbt = (models: ReadModels, chains: Chains) =>
  route({
    method: 'GET',
    path: '/v1/transfers/:transferId/psbt',
    tag: 'transfers',
    summary: 'A transaction of a transfer as a PSBT',
    description: 'PSBT of version 0 (BIP-174, BIP-371) with the signatures that there are, for other wallets and tools.',
    roles: ['client', 'approver', 'auditor'],
    query: {
      version: {
        description: 'Which of the transactions of the transfer; the latest when it is left out.',
        schema: { type: 'integer', minimum: 1, maximum: MAX_VERSION },
      },
    },
    answers: { 200: { description: 'The PSBT', schema: TRANSFER_PSBT } },
    async handle(request) {
      const { transferId } = request.params
      const { document: transfer, asOf } = await readDocument(models, request, {
        model: 'transfers',
        id: transferId,
        parameter: 'transferId',
      })
      const codec = await chains.get(String(transfer.chain))?.transactions()
      if (!codec?.toPsbt) throw new Problem('psbt_not_supported', 'the transactions of this chain have no such form')
      const { version, as, sessionIds } = transactionIn(transfer, request.query.version)
      const { sessions, asOf: sessionsAsOf } = await sessionsOf(models, transferId, version, sessionIds.length)
      const [first] = sessions
      if (!first) throw notBuilt()
      const { scheme, publicKey, payload } = first as Document & { scheme: Scheme; publicKey: string; payload: JsonObject }
      const sender = { scheme, publicKey: hexToBytes(publicKey), address: String(transfer.from) }
      const signatures = sessionIds.map((_, index) => signatureIn(sessions[index]))
      const made = signatures.filter((signature) => signature !== null).length
      const state = made === 0 ? 'unsigned' : made < signatures.length ? 'partially_signed' : 'final'
      const psbt = Buffer.from(codec.toPsbt(Buffer.from(String(payload.unsigned), 'base64'), sender, signatures)).toString('base64')
      return { status: 200, body: { transferId, version, as, state, psbt }, ...olderOf(asOf, sessionsAsOf) }
    },
  })

/** @throws Problem `transfer_not_built` */
function transactionIn({ transactions }: Document, named: string | undefined): Built {
  const built = (transactions ?? []) as unknown as readonly Built[]
  const found = named === undefined ? built.at(-1) : built.find(({ version }) => version === Number(named))
  if (!found) throw notBuilt()
  return found
}

/** Of the messages of a transaction, the sessions that have signed them, or those asked for last; undefined of those that were not asked for yet. */
async function sessionsOf(
  { documents, freshness }: ReadModels,
  transferId: string,
  version: number,
  messages: number,
): Promise<{ sessions: readonly (Document | undefined)[]; asOf: AsOf }> {
  const model = 'signing_sessions'
  const reading = freshness[model].reading()
  if (!reading) throw new Problem('read_model_behind', 'the read model is being built')
  const sessionOf = async (index: number): Promise<Document | undefined> => {
    let latest: Document | undefined
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const { value } = await documents.get(model, reading, sessionIdOf(transferId, version, index, attempt))
      if (!value) break
      latest = value
      if (value.status === 'signed') break
    }
    return latest
  }
  const sessions = await Promise.all(Array.from({ length: messages }, (_, index) => sessionOf(index)))
  return { sessions, asOf: { position: reading.position, currentAt: reading.currentAt } }
}

function signatureIn(session: Document | undefined): MadeSignature | null {
  if (typeof session?.signature !== 'string') return null
  const { signature, recoveryId } = session
  return { signature: hexToBytes(signature), recoveryId: typeof recoveryId === 'number' ? recoveryId : null }
}

const notBuilt = () => new Problem('transfer_not_built', 'there is no such transaction, or not yet')
