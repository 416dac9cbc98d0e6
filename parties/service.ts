import { randomBytes } from 'node:crypto'
import type { VerifyJws } from '../domain/authorisation/intent.ts'
import type { KeyPolicy } from '../domain/authorisation/key-policy.ts'
import type { CeremonyKind, CeremonyReply, RefusalCode } from '../domain/ceremony/messages.ts'
import { Refusal, refused } from '../domain/ceremony/refusal.ts'
import type { Chains } from '../domain/ports/chain.ts'
import { Unavailable } from '../domain/ports/event-log.ts'
import type { Asked, PartyEndpoint } from '../domain/ports/party-channel.ts'
import type { Prices } from '../domain/ports/prices.ts'
import { ClaimRefused, type SigningLedger } from '../domain/ports/signing-ledger.ts'
import type { RandomBytes } from '../domain/threshold/protocol.ts'
import { answeredOnce } from './answered-requests.ts'
import { authoriseKeyOperation } from './authorisation.ts'
import { requireType } from './ceremony.ts'
import { type CeremonyTableOptions, createCeremonyTable } from './ceremony-table.ts'
import type { Voice } from './conversation.ts'
import type { Fence } from './fence.ts'
import { jointOpenings } from './joint-opening.ts'
import { beginJointSigning } from './joint-signing.ts'
import { beginKeyGeneration } from './key-generation.ts'
import { createNoncePool, type NonceCounts } from './nonce-pool.ts'
import { abandon, open } from './opening.ts'
import { changePolicy } from './policy-change.ts'
import { beginPresigning } from './presigning.ts'
import { beginRecovery } from './recovery.ts'
import { beginRefresh } from './refresh.ts'
import { answerRefreshCompletion } from './refresh-completion.ts'
import type { ShareStore } from './share-store.ts'
import { sign } from './signing.ts'

export type PartyOptions = {
  partyId: string
  endpoint: PartyEndpoint
  shares: ShareStore
  voice: Voice
  verify: VerifyJws
  ledger: SigningLedger
  /** Whose transactions it reads, and by what it tells what they are worth. */
  chains: Chains
  prices: Prices
  fence: Pick<Fence, 'assertLifted'>
  /** Milliseconds since the epoch. */
  now?(): number
  /** How long openings hold, in milliseconds. */
  presignatureTtlMs: number
  /** Told what went wrong that was nobody's request; requesters hear `internal`. */
  onFailure(error: unknown): void
  rng?: RandomBytes
  bounds?: Pick<CeremonyTableOptions, 'maxOpen' | 'maxRemembered' | 'expireAfterMs'>
}

export type Party = {
  readonly openCeremonies: number
  /** What has become of the nonces of a key since the party began. */
  nonceCounts(keyId: string): NonceCounts
  close(): Promise<void>
}

export const systemRandom: RandomBytes = (length) => new Uint8Array(randomBytes(length))

/** What is answered when the ledger refuses. */
const REFUSED_CLAIMS: { readonly [Code in ClaimRefused['code']]: RefusalCode } = {
  signed_otherwise: 'signed_already',
  slot_taken: 'signed_already',
  intent_reused: 'intent_reused',
  limit_exceeded: 'policy_forbids',
}

/** Serves a party. Every request that is a request gets an answer: a reply, or a coded refusal. */
export function serveParty(options: PartyOptions): Party {
  const { endpoint, onFailure, presignatureTtlMs, now = Date.now, rng = systemRandom, bounds = {}, ...given } = options
  const { partyId, shares, verify, ledger } = given
  const nonces = createNoncePool({ ttlMs: presignatureTtlMs })
  const dependencies = { ...given, nonces, now, rng, onFailure }
  const refusalOf = (error: unknown): Refusal => {
    if (error instanceof Refusal) return error
    onFailure(error)
    if (error instanceof ClaimRefused) return new Refusal(REFUSED_CLAIMS[error.code], error.message)
    if (error instanceof Unavailable) return new Refusal('vault_unavailable', error.message)
    return new Refusal('internal', 'the party failed')
  }
  const ceremoniesOf = (begin: CeremonyTableOptions['begin']) => createCeremonyTable({ begin, refusalOf, ...bounds })
  const keyGenerations = ceremoniesOf((asked) => beginKeyGeneration(asked, dependencies))
  const joint = { ...dependencies, openTogether: jointOpenings(dependencies) }
  const signings = ceremoniesOf((asked) =>
    asked.request.type === 'signTogether' ? beginJointSigning(asked, joint) : sign(asked, dependencies),
  )
  const presignings = ceremoniesOf((asked) => beginPresigning(asked, joint))
  const refreshes = ceremoniesOf((asked) => beginRefresh(asked, dependencies))
  const openingOnce = answeredOnce({ now })
  const recoveries = ceremoniesOf((asked) => beginRecovery(asked, dependencies))

  /** What is done in one step. */
  const atOnce = (answer: (asked: Asked) => CeremonyReply | Promise<CeremonyReply>) => async (asked: Asked) => {
    try {
      return await answer(asked)
    } catch (error) {
      return refused(refusalOf(error))
    }
  }

  /** Undefined when there is no share of the key. */
  const policyOf = async (keyId: string): Promise<KeyPolicy | undefined> => {
    try {
      return await shares.policy(keyId)
    } catch (error) {
      if (error instanceof Refusal && error.code === 'unknown_key') return undefined
      throw error
    }
  }

  /** As often as asked. */
  const revoke = async ({ header, request }: Asked): Promise<CeremonyReply> => {
    const { keyId, authorisation } = requireType(request, 'destroyShares')
    if (header.ceremonyId !== keyId) throw new Refusal('malformed', 'the ceremony is not that of the key')
    if (!(await shares.isRevoked(keyId))) {
      const policy = await policyOf(keyId)
      if (!policy) {
        if (recoveries.open > 0) throw new Refusal('busy', 'a share of the key may be on its way back')
        // Without a policy nobody can tell that the client wants it: nothing is destroyed, and the key is not refused from now on.
        return { type: 'destroyed' }
      }
      const intents = authoriseKeyOperation('revoke', { authorisation, keyId, policy, verify, now: now() })
      await ledger.spend(intents, `revocation of ${keyId}`)
    }
    await shares.revoke(keyId)
    nonces.wipe(keyId)
    return { type: 'destroyed' }
  }

  const answerOpening = (asked: Asked): Promise<CeremonyReply> => {
    switch (asked.request.type) {
      case 'presign':
      case 'proceed':
        return presignings.answer(asked)
      case 'abandon':
        return atOnce((asked) => abandon(asked, dependencies))(asked)
      default:
        // Played again it would draw other nonces, for which those that somebody counts on would have to make room.
        return atOnce((asked) => openingOnce(asked, () => open(asked, dependencies)))(asked)
    }
  }

  const answers: { readonly [Kind in CeremonyKind]: (asked: Asked) => Promise<CeremonyReply> } = {
    'key-generation': keyGenerations.answer,
    signing: signings.answer,
    opening: answerOpening,
    refresh: refreshes.answer,
    'refresh-completion': atOnce((asked) => answerRefreshCompletion(asked, dependencies)),
    recovery: recoveries.answer,
    revocation: atOnce(revoke),
    'policy-change': atOnce((asked) => changePolicy(asked, dependencies)),
  }
  const stop = endpoint.serve(partyId, (asked) => answers[asked.header.kind](asked))

  return {
    get openCeremonies() {
      return keyGenerations.open + signings.open + presignings.open + refreshes.open + recoveries.open
    },
    nonceCounts: nonces.counts,
    async close() {
      await stop()
      keyGenerations.close()
      signings.close()
      presignings.close()
      refreshes.close()
      recoveries.close()
      nonces.close()
    },
  }
}
