import type { DeleteReq, TombstoneReq } from '@eventstore/db-client/generated/streams_pb.js'
import type { Handler } from '../grpc/call.ts'
import { NO_STREAM } from '../log/event.ts'
import type { Expected } from '../streams/expected-revision.ts'
import { remove } from '../streams/write.ts'
import { BadRequest, streamDeleted, wrongExpectedVersion } from './errors.ts'
import { streams } from './generated.ts'
import { keyOf, streamName } from './mapping.ts'
import type { Store } from './store.ts'
import { unaryMessages } from './unary-messages.ts'

export function serveDelete(store: Store): Handler {
  return unaryMessages(streams.DeleteReq, async (request) => {
    const at = await removal(store, request.getOptions(), false)
    const position = new streams.DeleteResp.Position()
    position.setCommitPosition(at)
    position.setPreparePosition(at)
    const response = new streams.DeleteResp()
    response.setPosition(position)
    return response
  })
}

export function serveTombstone(store: Store): Handler {
  return unaryMessages(streams.TombstoneReq, async (request) => {
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
  const stream = streamName(options.getStreamIdentifier()?.getStreamName_asU8())
  const expectation = expectedOf(options)
  const outcome = await commits.submit(() => remove(log, stream, expectation, forEver, Date.now()))
  if (outcome.kind === 'deleted') throw streamDeleted(stream)
  if (outcome.kind === 'wrong_revision') throw wrongExpectedVersion(stream, expectedCode(expectation), outcome.actual)
  return String(outcome.position)
}

/** @throws BadRequest */
function expectedOf(options: DeleteReq.Options | TombstoneReq.Options): Expected {
  if (options.hasRevision()) return keyOf(options.getRevision())
  if (options.hasNoStream()) return 'no_stream'
  return options.hasStreamExists() ? 'stream_exists' : 'any'
}

/** How error messages tell an expectation: a revision, or one of the numbers that stand for the others. */
function expectedCode(value: Expected): number {
  return typeof value === 'number' ? value : { any: -2, no_stream: NO_STREAM, stream_exists: -4 }[value]
}
