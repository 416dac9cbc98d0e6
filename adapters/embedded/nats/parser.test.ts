import test from 'ava'
import fc from 'fast-check'
import { createParser, type Operation } from './parser.ts'

const LIMITS = { maxControlLine: 64, maxPayload: 100 }

/** Payloads as text, so that views of different chunks compare. */
type Shown = Exclude<Operation, { kind: 'publish' }> | (Omit<Extract<Operation, { kind: 'publish' }>, 'payload'> & { payload: string })

const show = (operation: Operation): Shown =>
  operation.kind === 'publish' ? { ...operation, payload: operation.payload.toString('latin1') } : operation

function parseInChunks(input: Buffer, cuts: readonly number[]): Shown[] {
  const parse = createParser(LIMITS)
  const ends = [...new Set(cuts.map((cut) => cut % (input.length + 1)))].sort((one, other) => one - other)
  const starts = [0, ...ends]
  return [...ends, input.length].flatMap((end, index) => parse(Buffer.from(input.subarray(starts[index], end))).map(show))
}

const parseAll = (text: string) => parseInChunks(Buffer.from(text, 'latin1'), [])

const word = fc.constantFrom('a', 'b.c', '*', '>', 'q', '1', '0', '2', '12', '14', '-1', '101', 'x'.repeat(70))
const line = fc
  .tuple(fc.constantFrom('PUB', 'HPUB', 'SUB', 'UNSUB', 'PING', 'PONG', 'CONNECT {}', 'pub', 'FOO'), fc.array(word, { maxLength: 4 }))
  .map(([name, words]) => [name, ...words].join(' '))
const protocol = fc
  .array(fc.oneof(line, fc.constantFrom('hi', '', 'PUB a 2\r\nhi', 'HPUB a r 2 4\r\nhihi', 'PUB a 100\r\n'.concat('p'.repeat(100)))))
  .map((lines) => Buffer.from(lines.map((text) => `${text}\r\n`).join(''), 'latin1'))
const input = fc.oneof(
  protocol,
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
)

test('how the bytes are cut into chunks does not matter', (t) => {
  fc.assert(
    fc.property(input, fc.array(fc.nat(), { maxLength: 40 }), (bytes, cuts) => {
      t.deepEqual(parseInChunks(bytes, cuts), parseInChunks(bytes, []))
    }),
    { numRuns: 1_000 },
  )
})

test('nothing comes after a violation, whatever the bytes', (t) => {
  fc.assert(
    fc.property(input, (bytes) => {
      const kinds = parseInChunks(bytes, []).map(({ kind }) => kind)
      t.true(kinds.indexOf('violation') === -1 || kinds.indexOf('violation') === kinds.length - 1)
    }),
    { numRuns: 1_000 },
  )
})

test('every published message is read back, whatever its bytes', (t) => {
  const message = fc.record({ payload: fc.uint8Array({ maxLength: 100 }), headers: fc.boolean(), reply: fc.boolean() })
  fc.assert(
    fc.property(fc.array(message), fc.array(fc.nat(), { maxLength: 20 }), (messages, cuts) => {
      const sent = messages.map(({ payload, headers, reply }) => {
        const sizes = headers ? `0 ${payload.length}` : `${payload.length}`
        return Buffer.concat([
          Buffer.from(`${headers ? 'HPUB' : 'PUB'} a.b ${reply ? 'r ' : ''}${sizes}\r\n`),
          payload,
          Buffer.from('\r\n'),
        ])
      })
      const expected = messages.map(({ payload, headers, reply }) => ({
        kind: 'publish' as const,
        subject: 'a.b',
        reply: reply ? 'r' : undefined,
        headerBytes: headers ? 0 : undefined,
        payload: Buffer.from(payload).toString('latin1'),
      }))
      t.deepEqual(parseInChunks(Buffer.concat(sent), cuts), expected)
    }),
  )
})

test('operations are read with their arguments', (t) => {
  t.deepEqual(parseAll('SUB a.* 1\r\nSUB a.> workers 2\r\nUNSUB 1\r\nUNSUB 2 5\r\nPING\r\nPONG\r\nCONNECT {"name": "x y"}\r\n'), [
    { kind: 'subscribe', subject: 'a.*', queue: undefined, sid: '1' },
    { kind: 'subscribe', subject: 'a.>', queue: 'workers', sid: '2' },
    { kind: 'unsubscribe', sid: '1', max: undefined },
    { kind: 'unsubscribe', sid: '2', max: 5 },
    { kind: 'ping' },
    { kind: 'pong' },
    { kind: 'connect', options: '{"name": "x y"}' },
  ])
})

test('a payload may contain what looks like operations', (t) => {
  t.deepEqual(parseAll('PUB a 6\r\nPING\r\n\r\nPING\r\n'), [
    { kind: 'publish', subject: 'a', reply: undefined, headerBytes: undefined, payload: 'PING\r\n' },
    { kind: 'ping' },
  ])
})

test('a payload over the limit is refused before it is read', (t) => {
  t.deepEqual(parseAll('PUB a 101\r\n'), [{ kind: 'violation', reason: 'Maximum Payload Violation' }])
})

test('an endless control line is refused before it ends', (t) => {
  t.deepEqual(parseAll('x'.repeat(200)), [{ kind: 'violation', reason: 'maximum control line exceeded' }])
})
