import { consistencyProof, verifyConsistency } from '../../domain/audit/merkle-tree.ts'
import { type ConsistencyProof, hashesOf } from '../../domain/audit/proof.ts'
import { treeNodes } from '../../domain/audit/tree-documents.ts'
import { Problem } from '../../http/problem.ts'
import { route } from '../../http/route.ts'
import { type Audited, contradiction, fromWholeTree, requireCheckpoint, rootOf, SIZE } from './audited.ts'
import { CONSISTENCY_PROOF } from './shapes.ts'

export const getConsistencyProof = (audited: Audited) =>
  route({
    method: 'GET',
    path: '/v1/proofs/consistency',
    tag: 'proofs',
    summary: 'That the log has only grown from one checkpoint to another',
    description: 'What `npm run verify -- --proof` checks offline, with the public key alone.',
    roles: ['auditor'],
    query: {
      from: { description: 'Size of the tree of the earlier checkpoint.', required: true, schema: SIZE },
      to: { description: 'Size of the tree of the later one; the newest when it is left out.', schema: SIZE },
    },
    answers: { 200: { description: 'The proof', schema: CONSISTENCY_PROOF } },
    async handle({ query }) {
      const to = await requireCheckpoint(audited, query.to)
      const from = await requireCheckpoint(audited, query.from)
      if (from.size > to.size) throw outOfOrder()
      const { documents, sha256 } = audited
      const proof = await fromWholeTree(consistencyProof(from.size, to.size, treeNodes(documents, sha256), sha256))
      const [earlier, later] = [from, to].map((checkpoint) => ({ size: checkpoint.size, root: rootOf(checkpoint) })) as [Tree, Tree]
      if (!verifyConsistency({ from: earlier, to: later, proof }, sha256))
        throw contradiction(`the ${to.size} events that were signed do not go on from the ${from.size}`)
      return {
        status: 200,
        body: { kind: 'consistency', from: from.note, to: to.note, hashes: hashesOf(proof) } satisfies ConsistencyProof,
      }
    },
  })

type Tree = { size: number; root: Uint8Array }

function outOfOrder(): Problem {
  const detail = 'must not be greater than to'
  return new Problem('invalid_parameter', `from ${detail}`, { errors: [{ parameter: 'from', code: 'invalid_value', detail }] })
}
