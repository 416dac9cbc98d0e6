import test from 'ava'
import { rng } from '../testing/star.ts'
import { throwsAbort } from '../testing/throws-abort.ts'
import { commit, decommit } from './commitment.ts'

const sid = rng(32)
const value = rng(33)
const { commitment, decommitment } = commit({ sid, committer: 2 }, value, rng)

test('what was committed to is revealed', (t) => {
  t.deepEqual(decommit({ sid, committer: 2 }, commitment, decommitment), value)
})

test('every bit of what is revealed is committed to, and its length', (t) => {
  for (let at = 0; at < decommitment.length; at++) {
    const changed = decommitment.map((byte, i) => (i === at ? byte ^ (1 << (at & 7)) : byte))
    throwsAbort(t, () => decommit({ sid, committer: 2 }, commitment, changed), 'commitment_mismatch', [2])
  }
  for (const changed of [new Uint8Array(), decommitment.subarray(1), decommitment.subarray(0, -1), Uint8Array.of(...decommitment, 0)])
    throwsAbort(t, () => decommit({ sid, committer: 2 }, commitment, changed), 'commitment_mismatch', [2])
})

test("nobody reveals another's commitment, or one of another session, as its own", (t) => {
  throwsAbort(t, () => decommit({ sid, committer: 1 }, commitment, decommitment), 'commitment_mismatch', [1])
  throwsAbort(t, () => decommit({ sid: rng(32), committer: 2 }, commitment, decommitment), 'commitment_mismatch', [2])
})

test('the same value twice is committed to differently', (t) => {
  t.notDeepEqual(commit({ sid, committer: 2 }, value, rng).commitment, commitment)
})
