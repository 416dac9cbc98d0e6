import type { DeleteReq, DeleteResp, TombstoneReq, TombstoneResp } from '@eventstore/db-client/generated/streams_pb.js'
import type { handleUnaryCall } from '@grpc/grpc-js'
import { remove } from '../streams/write.ts'
import { answer } from './answer.ts'
import { BadRequest, streamDeleted, wrongExpectedVersion } from './errors.ts'
import { streams } from './generated.ts'
import { expected, expectedCode, streamName } from './mapping.ts'
import type { Store } from './store.ts'

export function serveDelete(store: Store): handleUnaryCall<DeleteReq, DeleteResp> {
  return ({ request }, callback) =>
    answer(callback, async () => {
      const at = await removal(store, request.getOptions(), false)
      const position = new streams.DeleteResp.Position()
      position.setCommitPosition(at)
      position.setPreparePosition(at)
      const response = new streams.DeleteResp()
      response.setPosition(position)
      return response
    })
}

export function serveTombstone(store: Store): handleUnaryCall<TombstoneReq, TombstoneResp> {
  return ({ request }, callback) =>
    answer(callback, async () => {
      const at = await removal(store, request.getOptions(), true)
      const position = new streams.TombstoneResp.Position()
      position.setCommitPosition(at)
      position.setPreparePosition(at)
      const response = new streams.TombstoneResp()
      response.setPosition(position)
      return response
    })
}

/** The position of what deletes the stream. */
async function removal(
  { log, commits }: Store,
  options: DeleteReq.Options | TombstoneReq.Options | undefined,
  forEver: boolean,
): Promise<string> {
  if (!options) throw new BadRequest('the options are missing')
  const stream = streamName(options.getStreamIdentifier())
  const expectation = expected(options, options.hasRevision() ? options.getRevision() : undefined)
  const outcome = await commits.submit(() => remove(log, stream, expectation, forEver, Date.now()))
  if (outcome.kind === 'deleted') throw streamDeleted(stream)
  if (outcome.kind === 'wrong_revision') throw wrongExpectedVersion(stream, expectedCode(expectation), outcome.actual)
  return String(outcome.position)
}
