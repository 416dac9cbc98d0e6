import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import type * as StatusMessages from '@eventstore/db-client/generated/status_pb.js'
import type * as StreamsService from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js'
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import test, { type ExecutionContext } from 'ava'
import { Unavailable, WrongExpectedRevision } from '../../domain/ports/event-log.ts'
import { openAppends } from './appends.ts'
import { closeClient, openClient, shared, streams } from './connection.ts'

const load = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'))
const { Status } = load('../generated/status_pb.js') as typeof StatusMessages
const { StreamsService: service } = load('../generated/streams_grpc_pb.js') as typeof StreamsService
const { Any } = load('google-protobuf/google/protobuf/any_pb.js') as typeof import('google-protobuf/google/protobuf/any_pb.js')

/** Answers the appends of one call after another: with the details of an error, with success, or not at all. */
async function startNode(t: ExecutionContext, answers: readonly (string | 'success' | 'silence')[]) {
  const left = [...answers]
  let calls = 0
  const server = new Server()
  const batchAppend = (call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>) => {
    calls++
    call.on('error', () => {}).on('end', () => call.end())
    call.on('data', (request: BatchAppendReq) => {
      const answer = left.shift()
      if (answer !== 'silence') call.write(answerTo(request, answer ?? 'success'))
    })
  }
  server.addService(service, { batchAppend } as never)
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  )
  const client = openClient(`esdb://127.0.0.1:${port}?tls=false`)
  const appends = openAppends(client, { deadlineMs: 2_000 })
  t.teardown(async () => {
    appends.close()
    await closeClient(client)
    server.forceShutdown()
  })
  const append = (data: object = {}) => appends.append('a', 'any', [{ id: randomUUID(), type: 'T', data, metadata: {} }])
  return { append, calls: () => calls }
}

function answerTo(request: BatchAppendReq, answer: string): BatchAppendResp {
  const response = new streams.BatchAppendResp()
  response.setCorrelationId(request.getCorrelationId())
  if (answer === 'success') {
    const position = new shared.AllStreamPosition()
    position.setCommitPosition('7')
    const success = new streams.BatchAppendResp.Success()
    success.setCurrentRevision('3')
    success.setPosition(position)
    response.setSuccess(success)
    return response
  }
  const details = new Any()
  details.setTypeUrl(`type.googleapis.com/${answer}`)
  const status = new Status()
  status.setMessage('said the node')
  status.setDetails(details)
  response.setError(status)
  return response
}

test('an append that the node did not take on is told as no answer, and the next one looks for a node anew', async (t) => {
  const { append, calls } = await startNode(t, ['google.protobuf.Empty', 'success', 'success'])
  await t.throwsAsync(append(), { instanceOf: Unavailable })
  t.deepEqual(await append(), { revision: 3n, position: 7n })
  await append()
  t.is(calls(), 2)
})

test('an outcome that nobody knows is told as no answer, on the same call', async (t) => {
  const { append, calls } = await startNode(t, ['event_store.client.Timeout', 'event_store.client.Unknown', 'success'])
  await t.throwsAsync(append(), { instanceOf: Unavailable })
  await t.throwsAsync(append(), { instanceOf: Unavailable })
  t.is((await append()).position, 7n)
  t.is(calls(), 1)
})

test('a refusal is told as one', async (t) => {
  const { append, calls } = await startNode(t, ['event_store.client.WrongExpectedVersion', 'event_store.client.AccessDenied', 'success'])
  await t.throwsAsync(append(), { instanceOf: WrongExpectedRevision })
  await t.throwsAsync(append(), { message: /AccessDenied said the node/, name: 'Error' })
  await append()
  t.is(calls(), 1)
})

test('an append without an answer fails those that wait with it, and the next one goes through', async (t) => {
  const { append, calls } = await startNode(t, ['silence', 'silence'])
  const outcomes = await Promise.allSettled([append(), append()])
  t.deepEqual(
    outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason instanceof Unavailable),
    [true, true],
  )
  t.is((await append()).revision, 3n)
  t.is(calls(), 2)
})

test('what is no JSON is refused, and those that wait with it are not', async (t) => {
  const { append, calls } = await startNode(t, ['success', 'success'])
  const before = append()
  await t.throwsAsync(append({ a: 1n }), { instanceOf: TypeError })
  t.is((await before).position, 7n)
  t.is((await append()).position, 7n)
  t.is(calls(), 1)
})
