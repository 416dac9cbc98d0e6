import type { Message } from 'google-protobuf'
import type { Handler } from '../grpc/call.ts'
import { unary } from '../grpc/one-request.ts'
import { decoded } from './decoded.ts'

/** A handler of calls with one request and one answer that are messages of generated classes. */
export function unaryMessages<Request>(
  { deserializeBinary }: { deserializeBinary(bytes: Uint8Array): Request },
  work: (request: Request) => Message | Promise<Message>,
): Handler {
  return unary(async (bytes) => (await work(decoded(deserializeBinary, bytes))).serializeBinary())
}
