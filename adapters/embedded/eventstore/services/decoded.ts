import { CallError, CODE } from '../grpc/status.ts'

/** A message, or the status of a call whose request is none. @throws CallError */
export function decoded<Message>(decode: (bytes: Buffer) => Message, bytes: Buffer): Message {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof CallError) throw error
    throw new CallError(CODE.internal, 'the request cannot be read')
  }
}
