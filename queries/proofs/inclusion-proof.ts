import { utf8ToBytes } from '@noble/hashes/utils.js'
import { canonicalEvent, isAudited } from '../../domain/audit/canonical-event.ts'
import { inclusionProof, leafHash, verifyInclusion } from '../../domain/audit/merkle-tree.ts'
import { hashesOf, type InclusionProof } from '../../domain/audit/proof.ts'
import { type LeafEntry, readLeaf, type StoredCheckpoint, treeNodes } from '../../domain/audit/tree-documents.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import { noSuch, Problem } from '../../http/problem.ts'
import { PLATFORM_TENANT, type Principal, route } from '../../http/route.ts'
import {
  type Audited,
  contradiction,
  fromWholeTree,
  reachMinPosition,
  requireCheckpoint,
  requireWholeTree,
  rootOf,
  SIZE,
} from './audited.ts'
import { INCLUSION_PROOF } from './shapes.ts'

const UUID = '[\\da-f]{8}-[\\da-f]{4}-[\\da-f]{4}-[\\da-f]{4}-[\\da-f]{12}'
const IN_STREAM = /^(.+)@(\d+)$/

export const getInclusionProof = (audited: Audited) =>
  route({
    method: 'GET',
    path: '/v1/proofs/inclusion',
    tag: 'proofs',
    summary: 'That an event is in the log, as a checkpoint was signed of it',
    description: 'What `npm run verify -- --proof` checks offline, with the public key alone.',
    roles: ['auditor'],
    query: {
      event: {
        description: 'Id of the event, or `<stream>@<revision>`.',
        required: true,
        schema: { type: 'string', pattern: `^(${UUID}|[A-Za-z]+-[\\w-]{1,128}@\\d{1,19})$`, maxLength: 256 },
      },
      size: { description: 'Of the tree whose checkpoint it is to be in; the newest when it is left out.', schema: SIZE },
    },
    answers: { 200: { description: 'The proof', schema: INCLUSION_PROOF } },
    async handle({ principal, query, minPosition, signal }) {
      await reachMinPosition(audited, { minPosition, signal })
      const leaf = (await findLeaf(audited, principal, query.event!)) ?? (await findInWholeTree(audited, principal, query.event!))
      if (!leaf) throw noSuch('event')
      if (!mayRead(principal, leaf)) throw noSuch('event')
      const checkpoint = await requireCheckpoint(audited, query.size)
      if (checkpoint.size <= leaf.index) throw notCovered(query.size)
      const event = await readEvent(audited, leaf)
      if (!event) throw new Problem('event_not_stored', 'it is in the archive, or was removed')
      return { status: 200, body: await prove(audited, { event, leaf, checkpoint }) }
    },
  })

async function findLeaf(audited: Audited, principal: Principal, named: string): Promise<LeafEntry | undefined> {
  const [, stream, revision] = IN_STREAM.exec(named) ?? []
  if (stream === undefined || revision === undefined) return readLeaf(audited.documents, named)
  const event = await readEvent(audited, { stream, revision: BigInt(revision) })
  if (!event || !isAudited(event) || !mayRead(principal, event.metadata)) return undefined
  const leaf = await readLeaf(audited.documents, event.id)
  if (!leaf) throw new Problem('read_model_behind', 'the event is in the log, and not in the tree yet')
  return leaf
}

/** What is not found may have come into the tree, or the tree been made, since it was looked for. @throws Problem `read_model_behind`, Unavailable */
async function findInWholeTree(audited: Audited, principal: Principal, named: string): Promise<LeafEntry | undefined> {
  await requireWholeTree(audited)
  return findLeaf(audited, principal, named)
}

async function readEvent(
  { log }: Audited,
  { stream, revision }: Pick<LeafEntry, 'stream' | 'revision'>,
): Promise<RecordedEvent | undefined> {
  for await (const event of log.readStream(stream, { from: revision, limit: 1 })) if (event.revision === revision) return event
  return undefined
}

/** @throws Problem `log_contradicts_tree`, `read_model_behind`; Unavailable */
async function prove(
  { documents, sha256 }: Audited,
  { event, leaf: { index }, checkpoint }: { event: RecordedEvent; leaf: LeafEntry; checkpoint: StoredCheckpoint },
): Promise<InclusionProof> {
  const { size, note } = checkpoint
  const leaf = canonicalEvent(event)
  const proof = await fromWholeTree(inclusionProof(index, size, treeNodes(documents, sha256), sha256))
  const holds = verifyInclusion({ leaf: leafHash(utf8ToBytes(leaf), sha256), index, size, proof, root: rootOf(checkpoint) }, sha256)
  if (!holds)
    throw contradiction(`the event at revision ${event.revision} of its stream is not leaf ${index} of the ${size} that were signed`)
  return { kind: 'inclusion', leaf, index, hashes: hashesOf(proof), checkpoint: note }
}

/** An event of another tenant does not exist for the caller, unless the caller is the platform. */
const mayRead = (principal: Principal, leaf: Pick<LeafEntry, 'tenant'>) =>
  principal.tenant === PLATFORM_TENANT || principal.tenant === leaf.tenant

function notCovered(size: string | undefined): Problem {
  return size === undefined
    ? new Problem('not_signed_yet', 'the next checkpoint will cover it')
    : new Problem('checkpoint_not_found', `the event is not among the ${size} of that checkpoint`)
}
