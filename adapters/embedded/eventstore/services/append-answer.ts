import { delimitedSize, numberSize, type Output, writeBytes, writeDelimiter, writeNumber } from '../../../protobuf/output.ts'
import { PREFIX_BYTES, writePrefix } from '../grpc/messages.ts'
import { NO_STREAM } from '../log/event.ts'

/** `revision` is NO_STREAM when nothing was appended to a stream that does not exist. */
export type Success = { revision: number; position: number | undefined }

/** An answer to a classic append, framed: AppendResp { Success success = 1 }. */
export function encodeAppendSuccess(outcome: Success): Buffer {
  const size = successSize(outcome)
  const output = framed(delimitedSize(size))
  writeSuccess(output, 1, size, outcome)
  return output.bytes
}

/** An answer to a batch append: BatchAppendResp { UUID correlation_id = 1; Success success = 3; StreamIdentifier stream = 4 }. */
export function encodeBatchSuccess(correlation: Buffer, stream: Buffer, outcome: Success): Buffer {
  const size = successSize(outcome)
  const output = framed(delimitedSize(correlation.length) + delimitedSize(size) + delimitedSize(delimitedSize(stream.length)))
  writeBytes(output, 1, correlation)
  writeSuccess(output, 3, size, outcome)
  writeIdentifier(output, stream)
  return output.bytes
}

/** The same with google.rpc.Status error = 2, which is encoded already. */
export function encodeBatchFailure(correlation: Buffer, stream: Buffer, error: Uint8Array): Buffer {
  const output = framed(delimitedSize(correlation.length) + delimitedSize(error.length) + delimitedSize(delimitedSize(stream.length)))
  writeBytes(output, 1, correlation)
  writeBytes(output, 2, error)
  writeIdentifier(output, stream)
  return output.bytes
}

function framed(length: number): Output {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + length)
  writePrefix(bytes, length)
  return { bytes, at: PREFIX_BYTES }
}

/** StreamIdentifier { bytes stream_name = 3 } */
function writeIdentifier(output: Output, stream: Buffer): void {
  writeDelimiter(output, 4, delimitedSize(stream.length))
  writeBytes(output, 3, stream)
}

const EMPTY = Buffer.alloc(0)

/**
 * Success { oneof { uint64 current_revision = 1; Empty no_stream = 2 }; oneof { Position position = 3; Empty no_position = 4 } }
 * Position { uint64 commit_position = 1, prepare_position = 2 }
 */
function successSize({ revision, position }: Success): number {
  return (
    (revision === NO_STREAM ? delimitedSize(0) : numberSize(revision)) +
    delimitedSize(position === undefined ? 0 : 2 * numberSize(position))
  )
}

function writeSuccess(output: Output, field: number, size: number, { revision, position }: Success): void {
  writeDelimiter(output, field, size)
  if (revision === NO_STREAM) writeBytes(output, 2, EMPTY)
  else writeNumber(output, 1, revision)
  if (position === undefined) {
    writeBytes(output, 4, EMPTY)
  } else {
    writeDelimiter(output, 3, 2 * numberSize(position))
    writeNumber(output, 1, position)
    writeNumber(output, 2, position)
  }
}
