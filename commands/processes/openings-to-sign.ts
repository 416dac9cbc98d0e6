import type { Opening } from '../../domain/ceremony/opening.ts'
import type { Witness } from '../../domain/ceremony/sayings.ts'
import type { ActiveKey } from '../../domain/key-share/key-share.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import type { PartyDirectory } from '../../domain/ports/party-directory.ts'
import type { Failure } from '../../domain/signing-session/events.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { requestOpenings } from './opening-requests.ts'
import { gatherOpenings, type Timing } from './openings.ts'
import { chooseSigners } from './signer-choice.ts'
import type { PartyStanding } from './standing/party-standing.ts'
import type { StockKeeping } from './stock-keeping.ts'

/** What has come of the attempts at a session so far. */
export type Lessons = {
  /** Proven wrong: asked no more. */
  excluded: Set<string>
  /** How often each was in the way of an attempt: the more often, the later it is asked. */
  doubts: Map<string, number>
  /** Somebody has lost what it had made ahead: others may have, too. */
  stale: boolean
}

/** Those who sign, and how many rounds it takes, the opening included unless it was made ahead. */
export type Opened = {
  signers: readonly string[]
  /** By signer, in the order in which they opened; none where they open together as they sign. */
  openings: ReadonlyMap<string, Opening>
  rounds: number
  /** Why these are too few. */
  missing?: Failure
  /** How long those are waited for that are down and have not opened. */
  windowMs?: number
}

export type OpeningsToSign = {
  readonly channel: PartyChannel
  readonly witness: Witness
  readonly directory: Pick<PartyDirectory, 'isUp'>
  readonly standing: Pick<PartyStanding, 'rank' | 'lateAfterMs'>
  readonly presignatures: Pick<StockKeeping, 'stock' | 'claims' | 'rifts'>
  readonly timing: Timing & { roundTimeoutMs: number }
}

/** Who is to sign, and what they have opened: out of stock when enough have given some, else fresh, as many as can be had. */
export type Open = (key: ActiveKey, needed: number, lessons: Lessons, leftMs: number) => Promise<Opened>

export function openingsToSign({ channel, witness, directory, standing, presignatures, timing }: OpeningsToSign): Open {
  const { stock, claims, rifts } = presignatures

  async function open(key: ActiveKey, needed: number, lessons: Lessons, leftMs: number): Promise<Opened> {
    const { parties } = key
    const { excluded, stale } = lessons
    const ranked = standing.rank(
      parties.filter((id) => !excluded.has(id)),
      needed,
    )
    const doubtsOf = (id: string) => lessons.doubts.get(id) ?? 0
    const candidates = ranked.toSorted((a, b) => doubtsOf(a) - doubtsOf(b))
    // Stock is worth a round trip, but not a signer that is more doubtful than there need be.
    const mostDoubts = doubtsOf(candidates.slice(0, needed).at(-1) ?? '')
    const isTrusted = (id: string) => doubtsOf(id) <= mostDoubts
    if (jointRounds(key.scheme) > 0) return choose(key, needed, candidates, { stale, isTrusted })

    const stocked = candidates.filter((id) => !stale && isTrusted(id) && stock.held(key, [id]) > 0).slice(0, needed)
    if (stocked.length === needed) return readyToSign(stocked.flatMap((id) => stock.take(key, [id]) ?? []))

    const { opened, slow, failures } = await gatherOpenings(
      async (to, signal) => {
        const [ready] = (!stale && stock.take(key, [to])) || []
        if (ready) return { opened: ready }
        const timeoutMs = Math.min(timing.roundTimeoutMs, leftMs)
        const outcome = await requestOpenings({ channel, witness }, key, { to, count: 1, timeoutMs, signal })
        return 'failure' in outcome ? outcome : { opened: outcome.openings[0]! }
      },
      {
        candidates,
        needed,
        isUp: directory.isUp,
        hedgeAfterMs: Math.max(timing.hedgeAfterMs, ...candidates.slice(0, needed).map(standing.lateAfterMs)),
        windowMs: Math.min(timing.windowMs, leftMs),
        patienceMs: Math.min(timing.patienceMs, leftMs),
      },
    )
    doubt(lessons, [...slow, ...failures.keys()])
    const signers = [...opened.keys()]
    const missing = { code: 'quorum_unavailable', culprits: parties.filter((id) => !opened.has(id)) }
    return { signers, openings: opened, rounds: 2, ...(signers.length < needed && { missing }) }
  }

  /**
   * Signers who open together: those who have done so ahead, or are about to have, as long as they are no more doubtful than there need be, or else those
   * who will as they sign.
   */
  async function choose(
    key: ActiveKey,
    needed: number,
    candidates: readonly string[],
    { stale, isTrusted }: { stale: boolean; isTrusted(id: string): boolean },
  ): Promise<Opened> {
    const { parties } = key
    const isLikely = (id: string) => isTrusted(id) && directory.isUp(id)
    const canSign = (signers: readonly string[]) => !rifts.among(key, signers)
    const likeliest = (isSo: (signers: readonly string[]) => boolean) =>
      stale ? undefined : chooseSigners(candidates, needed, (signers) => canSign(signers) && signers.every(isLikely) && isSo(signers))

    const stocked = likeliest((signers) => stock.held(key, signers) > 0)
    const opening = stocked ? undefined : likeliest((signers) => claims.isFree(key, signers))
    if (opening) await claims.claim(key, opening)
    const ready = stocked ?? opening
    const lot = ready && stock.take(key, ready)
    if (lot) return readyToSign(lot)
    const chosen = chooseSigners(candidates, needed, canSign) ?? chooseSigners(parties, needed, canSign)
    if (!chosen) {
      const missing = rifts.among(key, parties) ?? { code: 'quorum_unavailable', culprits: [] }
      return { signers: [], openings: new Map(), rounds: 0, missing }
    }
    const canBeReplaced = candidates.some((id) => !chosen.includes(id) && isLikely(id))
    const patienceMs = chosen.every(directory.isUp) ? timing.patienceMs : timing.windowMs
    const signers = parties.filter((id) => chosen.includes(id))
    return { signers, openings: new Map(), rounds: jointRounds(key.scheme) + 1, windowMs: canBeReplaced ? 0 : patienceMs }
  }

  return open
}

/** They were in the way of an attempt. */
export function doubt({ doubts }: Lessons, parties: readonly string[]): void {
  for (const id of parties) doubts.set(id, (doubts.get(id) ?? 0) + 1)
}

/** By those who have opened already: one by one, or together. */
function readyToSign(openings: readonly Opening[]): Opened {
  const bySigner = new Map(openings.map((opening) => [opening.partyId, opening]))
  return { signers: [...bySigner.keys()], openings: bySigner, rounds: 1 }
}

/** How often signers speak to open together; 0 where each opens by itself. */
function jointRounds(scheme: Scheme): number {
  const { signing } = protocolOf(scheme)
  return signing.openedBy === 'all' ? signing.rounds : 0
}
