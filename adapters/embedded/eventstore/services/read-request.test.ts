import test from 'ava'
import fc from 'fast-check'
import { CallError } from '../grpc/status.ts'
import { decoded } from './decoded.ts'
import { BadRequest } from './errors.ts'
import { Empty, streams } from './generated.ts'
import { streamIdentifier } from './mapping.ts'
import { parseReadRequest } from './read-request.ts'

type Options = InstanceType<typeof streams.ReadReq.Options>
const { Options, ReadReq } = { Options: streams.ReadReq.Options, ReadReq: streams.ReadReq }

function encode(fill: (options: Options) => void): Buffer {
  const options = new Options()
  fill(options)
  const request = new ReadReq()
  request.setOptions(options)
  return Buffer.from(request.serializeBinary())
}

function ofStream(options: Options, name: string, from: (stream: InstanceType<typeof Options.StreamOptions>) => void): void {
  const stream = new Options.StreamOptions()
  stream.setStreamIdentifier(streamIdentifier(name))
  from(stream)
  options.setStream(stream)
}

test('a read of a stream is read as the generated classes write it', (t) => {
  const request = parseReadRequest(
    encode((options) => {
      ofStream(options, 'wallet-ü', (stream) => stream.setRevision('300'))
      options.setReadDirection(Options.ReadDirection.BACKWARDS)
      options.setCount('5000000000')
      options.setResolveLinks(true)
      options.setNoFilter(new Empty())
      const ids = new Options.UUIDOption()
      ids.setStructured(new Empty())
      options.setUuidOption(ids)
      const control = new Options.ControlOption()
      control.setCompatibility(1)
      options.setControlOption(control)
    }),
  )
  const { filter, ...rest } = request
  t.true(filter({ stream: 'any', type: 'any' }))
  t.deepEqual(rest, {
    stream: 'wallet-ü',
    from: 300,
    direction: 'backwards',
    count: 5_000_000_000,
    checkpointInterval: undefined,
    resolveLinks: true,
    structuredIds: true,
    compatibility: 1,
  })
})

test('a filtered subscription to all streams is read, too', (t) => {
  const { filter, ...rest } = parseReadRequest(
    encode((options) => {
      const position = new Options.Position()
      position.setCommitPosition('7')
      position.setPreparePosition('7')
      const all = new Options.AllOptions()
      all.setPosition(position)
      options.setAll(all)
      options.setSubscription(new Options.SubscriptionOptions())
      const expression = new Options.FilterOptions.Expression()
      expression.setPrefixList(['a-', 'b-'])
      const filtering = new Options.FilterOptions()
      filtering.setStreamIdentifier(expression)
      filtering.setMax(10)
      filtering.setCheckpointintervalmultiplier(3)
      options.setFilter(filtering)
    }),
  )
  t.deepEqual(
    ['a-1', 'b-1', 'c-1'].map((stream) => filter({ stream, type: 'a-' })),
    [true, true, false],
  )
  t.deepEqual(rest, {
    stream: undefined,
    from: 7,
    direction: 'forwards',
    count: undefined,
    checkpointInterval: 30,
    resolveLinks: false,
    structuredIds: false,
    compatibility: 0,
  })
})

test('a place is the start, the end, or a number', (t) => {
  const from = (place: (stream: InstanceType<typeof Options.StreamOptions>) => void) =>
    parseReadRequest(
      encode((options) => {
        ofStream(options, 's', place)
        options.setCount('1')
      }),
    ).from
  t.is(
    from((stream) => stream.setStart(new Empty())),
    'start',
  )
  t.is(
    from((stream) => stream.setEnd(new Empty())),
    'end',
  )
  t.is(
    from((stream) => stream.setRevision('9223372036854775807')),
    Number.MAX_SAFE_INTEGER,
  )
  t.throws(() => from((stream) => stream.setRevision('18446744073709551615')), { instanceOf: BadRequest })
})

test('a request that makes no sense is refused', (t) => {
  const counted = (options: Options) => options.setCount('1')
  const all = (options: Options) => options.setAll(new Options.AllOptions())
  const filtered = (regex: string) => (options: Options) => {
    const expression = new Options.FilterOptions.Expression()
    expression.setRegex(regex)
    const filter = new Options.FilterOptions()
    filter.setEventType(expression)
    options.setFilter(filter)
  }
  const refused = (...fills: ((options: Options) => void)[]) =>
    t.throws(
      () =>
        parseReadRequest(
          encode((options) => {
            for (const fill of fills) fill(options)
          }),
        ),
      { instanceOf: BadRequest },
    )
  refused(counted)
  refused(all)
  refused(all, counted, filtered('('))
  refused(all, counted, (options) => options.setFilter(new Options.FilterOptions()))
  refused(counted, (options) => ofStream(options, '', () => {}))
  refused(counted, (options) => ofStream(options, 'x'.repeat(70_000), () => {}))
  t.throws(() => parseReadRequest(Buffer.alloc(0)), { instanceOf: BadRequest })
})

test('bytes that are no request to read are refused', (t) => {
  const bytes = encode((options) => {
    ofStream(options, 'stream', (stream) => stream.setRevision('300'))
    options.setCount('10')
  })
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const damaged = Buffer.from(bytes)
      damaged[at] = value
      try {
        decoded(parseReadRequest, damaged)
      } catch (error) {
        t.true(error instanceof CallError)
      }
    }),
  )
})
