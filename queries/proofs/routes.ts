import type { Route } from '../../http/route.ts'
import type { Audited } from './audited.ts'
import { getLatestCheckpoint, getLogKey, listCheckpoints } from './checkpoints.ts'
import { getConsistencyProof } from './consistency-proof.ts'
import { getInclusionProof } from './inclusion-proof.ts'

/** What an auditor needs who believes nobody. */
export const proofRoutes = (audited: Audited): Route[] => [
  getInclusionProof(audited),
  getConsistencyProof(audited),
  listCheckpoints(audited),
  getLatestCheckpoint(audited),
  getLogKey(audited),
]
