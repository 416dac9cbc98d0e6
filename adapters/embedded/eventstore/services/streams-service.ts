import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
  DeleteReq,
  DeleteResp,
  ReadReq,
  TombstoneReq,
  TombstoneResp,
} from '@eventstore/db-client/generated/streams_pb.js'
import type { handleBidiStreamingCall, handleClientStreamingCall, handleServerStreamingCall, handleUnaryCall } from '@grpc/grpc-js'
import { serveAppend } from './append.ts'
import { serveBatchAppend } from './batch-append.ts'
import { serveDelete, serveTombstone } from './delete.ts'
import { type Answer, serveRead } from './read.ts'
import type { Store } from './store.ts'

/** The service Streams: everything that is done with events but persistent subscriptions. */
export function streamsHandlers(store: Store): {
  append: handleClientStreamingCall<AppendReq, AppendResp>
  batchAppend: handleBidiStreamingCall<BatchAppendReq, BatchAppendResp>
  delete: handleUnaryCall<DeleteReq, DeleteResp>
  tombstone: handleUnaryCall<TombstoneReq, TombstoneResp>
  read: handleServerStreamingCall<ReadReq, Answer>
} {
  return {
    append: serveAppend(store),
    batchAppend: serveBatchAppend(store),
    delete: serveDelete(store),
    tombstone: serveTombstone(store),
    read: serveRead(store),
  }
}
