import type { KeyEpoch } from './stock.ts'

/** What signers are making together for later, each of which one session may wait for: it is there sooner than another that is begun for the session. */
export interface Claims {
  /** Has it made; `claimed` resolves when a session waits for it. */
  making<Made>(key: KeyEpoch, signers: readonly string[], make: (claimed: Promise<void>) => Promise<Made>): Promise<Made>
  /** Whether these signers are making something for the key that no session waits for. */
  isFree(key: KeyEpoch, signers: readonly string[]): boolean
  /** Claims it, and resolves when it is made, or has failed, or takes too long. */
  claim(key: KeyEpoch, signers: readonly string[]): Promise<void>
}

type Making = { epoch: number; signers: readonly string[]; claim(): void; over: Promise<unknown> }

/** Some times as long as it takes on a machine that is busy with something else. */
const WITHIN_MS = 500

export function createClaims({ withinMs = WITHIN_MS }: { withinMs?: number } = {}): Claims {
  /** By key, of which only one is made at a time. */
  const unclaimed = new Map<string, Making>()
  const find = ({ keyId, epoch }: KeyEpoch, signers: readonly string[]): Making | undefined => {
    const making = unclaimed.get(keyId)
    const isOfThese =
      making?.epoch === epoch && making.signers.length === signers.length && signers.every((id) => making.signers.includes(id))
    return isOfThese ? making : undefined
  }

  return {
    async making({ keyId, epoch }, signers, make) {
      let claim = () => {}
      const claimed = new Promise<void>((resolve) => {
        claim = resolve
      })
      const over = make(claimed)
      const making = { epoch, signers, claim, over }
      unclaimed.set(keyId, making)
      try {
        return await over
      } finally {
        if (unclaimed.get(keyId) === making) unclaimed.delete(keyId)
      }
    },

    isFree: (key, signers) => find(key, signers) !== undefined,

    async claim(key, signers) {
      const making = find(key, signers)
      if (!making) return
      unclaimed.delete(key.keyId)
      making.claim()
      await settled(making.over, withinMs)
    },
  }
}

/** Resolves when the work has ended, one way or the other, or when it has taken that long. */
function settled(work: Promise<unknown>, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, withinMs)
    const end = () => {
      clearTimeout(timer)
      resolve()
    }
    work.then(end, end)
  })
}
