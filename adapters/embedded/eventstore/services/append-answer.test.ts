import test from 'ava'
import { PREFIX_BYTES } from '../grpc/messages.ts'
import { NO_STREAM } from '../log/event.ts'
import { encodeAppendSuccess, encodeBatchFailure, encodeBatchSuccess } from './append-answer.ts'
import { wrongRevision } from './batch-failure.ts'
import { shared, streams } from './generated.ts'
import { uuidMessage } from './mapping.ts'

const ID = '0b6a1c5e-8f3d-4e2a-9c7b-fedcba987654'
const correlation = Buffer.from(uuidMessage(ID).serializeBinary())

test('the generated classes read a success', (t) => {
  const answer = streams.BatchAppendResp.deserializeBinary(
    encodeBatchSuccess(correlation, Buffer.from('wallet-ü'), { revision: 300, position: 5_000_000_000 }).subarray(PREFIX_BYTES),
  )
  t.is(answer.getCorrelationId()?.getString(), ID)
  t.is(Buffer.from(answer.getStreamIdentifier()!.getStreamName_asU8()).toString(), 'wallet-ü')
  t.is(answer.getSuccess()?.getCurrentRevision(), '300')
  t.is(answer.getSuccess()?.getPosition()?.getCommitPosition(), '5000000000')
  t.is(answer.getSuccess()?.getPosition()?.getPreparePosition(), '5000000000')
  t.false(answer.hasError())
})

test('the first revision is told, too', (t) => {
  const success = streams.AppendResp.deserializeBinary(
    encodeAppendSuccess({ revision: 0, position: 1 }).subarray(PREFIX_BYTES),
  ).getSuccess()!
  t.true(success.hasCurrentRevision())
  t.is(success.getCurrentRevision(), '0')
  t.is(success.getPosition()?.getCommitPosition(), '1')
})

test('there may be neither a revision nor a position', (t) => {
  const success = streams.AppendResp.deserializeBinary(
    encodeAppendSuccess({ revision: NO_STREAM, position: undefined }).subarray(PREFIX_BYTES),
  ).getSuccess()!
  t.true(success.hasNoStream())
  t.true(success.hasNoPosition())
})

test('the generated classes read a failure and its details', (t) => {
  const answer = streams.BatchAppendResp.deserializeBinary(
    encodeBatchFailure(correlation, Buffer.from('s'), wrongRevision('no_stream', 4)).subarray(PREFIX_BYTES),
  )
  t.is(answer.getError()?.getCode(), 6)
  const details = answer.getError()!.getDetails()!
  t.is(details.getTypeName(), 'event_store.client.WrongExpectedVersion')
  t.is(shared.WrongExpectedVersion.deserializeBinary(details.getValue_asU8()).getCurrentStreamRevision(), '4')
})
