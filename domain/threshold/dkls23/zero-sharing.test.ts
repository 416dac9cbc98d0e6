import { secp256k1 } from '@noble/curves/secp256k1.js'
import test from 'ava'
import type { PartyIndex } from '../protocol.ts'
import { rng } from '../testing/star.ts'
import { zeroShare } from './zero-sharing.ts'

const { Fn } = secp256k1.Point
const PARTIES = [1, 2, 3, 4]

/** Everybody's seeds, by who has them in common with whom. */
const seeds = new Map<PartyIndex, Map<PartyIndex, Uint8Array>>(PARTIES.map((party) => [party, new Map()]))
for (const a of PARTIES)
  for (const b of PARTIES)
    if (a < b) {
      const seed = rng(32)
      seeds.get(a)!.set(b, seed)
      seeds.get(b)!.set(a, seed)
    }

const sharesOf = (signers: readonly PartyIndex[], sid: Uint8Array) =>
  signers.map((self) => zeroShare(self, new Map([...seeds.get(self)!].filter(([other]) => signers.includes(other))), sid))

test('the shares of any signers add up to zero, and none of them is zero', (t) => {
  for (const signers of [[1, 2], [2, 4], [1, 3, 4], PARTIES]) {
    const shares = sharesOf(signers, rng(32))
    t.is(
      shares.reduce((sum, share) => Fn.add(sum, share)),
      0n,
    )
    for (const share of shares) t.not(share, 0n)
  }
})

test('in each session they are others', (t) => {
  const [first, second] = [rng(32), rng(32)].map((sid) => sharesOf([1, 2, 3], sid))
  for (const [i, share] of first!.entries()) t.not(share, second![i])
})
