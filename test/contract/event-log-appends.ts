import fc from 'fast-check'
import { Unavailable, WrongExpectedRevision } from '../../domain/ports/event-log.ts'
import { all, event, events, freshStream, ids, type Suite } from './event-log-suite.ts'

/** The data of one append may have so many bytes, as JSON. */
const LARGEST_APPEND = 1024 * 1024

export function appendContract({ define, log, connect }: Suite): void {
  define('what is appended is read back as it was, in order', async (t) => {
    const stream = freshStream()
    const events = [event('First', { text: 'ä\u0000€', nested: { n: [1, null, true] } }), event('Second')]
    const { revision, position } = await log().append(stream, 'no_stream', events)
    const read = await all(log().readStream(stream))
    t.is(revision, 1n)
    t.deepEqual(
      read.map(({ id, type, data, metadata }) => ({ id, type, data, metadata })),
      events,
    )
    t.deepEqual(
      read.map((each) => [each.stream, each.revision]),
      [
        [stream, 0n],
        [stream, 1n],
      ],
    )
    t.is(read[1]?.position, position)
    t.true((read[0]?.position as bigint) < position)
    t.true(Math.abs(Date.parse(read[0]?.recordedAt as string) - Date.now()) < 60_000)
  })

  define('an append at another revision than the current one is refused and writes nothing', async (t) => {
    const stream = freshStream()
    await log().append(stream, 'no_stream', [event(), event()])
    await t.throwsAsync(log().append(stream, 'no_stream', [event()]), { instanceOf: WrongExpectedRevision })
    await t.throwsAsync(log().append(stream, 0n, [event()]), { instanceOf: WrongExpectedRevision })
    await t.throwsAsync(log().append(stream, 5n, [event()]), { instanceOf: WrongExpectedRevision })
    await log().append(stream, 1n, [event()])
    t.is((await all(log().readStream(stream))).length, 3)
  })

  define('of 64 writers at each revision of one stream, one wins', async (t) => {
    const stream = freshStream()
    const writers = [log(), connect()]
    let expected: bigint | 'no_stream' = 'no_stream'
    const winners: string[] = []
    for (let revision = 0n; revision < 8n; revision++) {
      const proposed = events(64)
      const outcomes = await Promise.allSettled(proposed.map((each, n) => writers[n % 2]!.append(stream, expected, [each])))
      const won = outcomes.flatMap((outcome, n) => (outcome.status === 'fulfilled' ? [{ id: proposed[n]!.id, ...outcome.value }] : []))
      t.deepEqual(
        won.map((each) => each.revision),
        [revision],
      )
      t.is(outcomes.filter((outcome) => outcome.status === 'rejected' && outcome.reason instanceof WrongExpectedRevision).length, 63)
      winners.push(...ids(won))
      expected = revision
    }
    await writers[1]!.close()
    t.deepEqual(ids(await all(log().readStream(stream))), winners)
  })

  define('an append repeated with the same ids at the same older revision changes nothing', async (t) => {
    const stream = freshStream()
    const first = [event(), event()]
    const original = await log().append(stream, 'no_stream', first)
    const next = [event(), event()]
    await log().append(stream, 1n, next)
    t.deepEqual(await log().append(stream, 'no_stream', first), original)
    t.is((await log().append(stream, 1n, next)).revision, 3n)
    t.is((await all(log().readStream(stream))).length, 4)
  })

  define('an append whose answer is not waited for, and which is sent again, is there once', async (t) => {
    for (const expected of ['no_stream', 'any', 0n] as const) {
      const stream = freshStream()
      if (expected === 0n) await log().append(stream, 'no_stream', [event()])
      const lost = events(3)
      const answers = await Promise.all(Array.from({ length: 5 }, () => log().append(stream, expected, lost)))
      const last = expected === 0n ? 3n : 2n
      t.deepEqual(
        answers.map(({ revision }) => revision),
        answers.map(() => last),
      )
      await log().append(stream, last, [event()])
      t.is((await log().append(stream, expected, lost)).revision, last)
      t.deepEqual(ids(await all(log().readStream(stream))).slice(expected === 0n ? 1 : 0, -1), ids(lost))
    }
  })

  define('an append of which only a part is known is refused', async (t) => {
    const stream = freshStream()
    const known = events(2)
    await log().append(stream, 'no_stream', known)
    await t.throwsAsync(log().append(stream, 'no_stream', [...known, event()]), { instanceOf: WrongExpectedRevision })
    await t.throwsAsync(log().append(stream, 'no_stream', [event(), known[1]!]), { instanceOf: WrongExpectedRevision })
    await t.throwsAsync(log().append(stream, 'any', [known[0]!, event()]), { instanceOf: WrongExpectedRevision })
    t.deepEqual(ids(await all(log().readStream(stream))), ids(known))
  })

  define('an append is as large as a mebibyte, and what is larger is refused for good, and hinders nothing', async (t) => {
    const stream = freshStream()
    const sized = (bytes: number) => event('Large', { fill: 'x'.repeat(bytes - '{"fill":""}'.length) })
    const largest = sized(LARGEST_APPEND)
    await log().append(stream, 'no_stream', [largest])
    for (const tooLarge of [[sized(LARGEST_APPEND + 1)], [sized(600_000), sized(600_000)], [sized(3 * LARGEST_APPEND)]]) {
      const [refused, alongside] = await Promise.allSettled([
        log().append(stream, 0n, tooLarge),
        log().append(freshStream(), 'no_stream', [event()]),
      ])
      t.is(alongside.status, 'fulfilled')
      t.true(
        refused.status === 'rejected' && !(refused.reason instanceof Unavailable) && !(refused.reason instanceof WrongExpectedRevision),
      )
    }
    await log().append(stream, 0n, [event()])
    const read = await all(log().readStream(stream))
    t.deepEqual(read[0]?.data, largest.data)
    t.is(read.length, 2)
  })

  define('many large appends at once are all stored', async (t) => {
    const streams = Array.from({ length: 24 }, freshStream)
    const data = { fill: 'y'.repeat(400_000) }
    await Promise.all(streams.map((stream) => log().append(stream, 'no_stream', [event('Large', data), event('Large', data)])))
    for (const stream of streams.slice(0, 3))
      t.deepEqual(
        (await all(log().readStream(stream))).map((each) => each.data),
        [data, data],
      )
  })

  define('a stream may have any name but none', async (t) => {
    await t.throwsAsync(log().append('', 'any', [event()]))
    for (const name of ['with space', 'Zürich/€/日本', 'a@b', '::-$', 'x'.repeat(1000)]) {
      const stream = `${name} ${freshStream()}`
      const [appended] = events(1)
      await log().append(stream, 'no_stream', [appended!])
      const [read] = await all(log().readStream(stream))
      t.deepEqual([read?.stream, read?.id], [stream, appended!.id])
    }
  })

  define('whatever is appended, at whatever revision, the stream holds exactly what was acknowledged', async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: -1, max: 8 }), fc.integer({ min: 1, max: 3 })), { maxLength: 12 }),
        async (attempts) => {
          const stream = freshStream()
          const acknowledged: string[] = []
          for (const [at, count] of attempts) {
            const events = Array.from({ length: count }, () => event())
            try {
              await log().append(stream, at < 0 ? 'no_stream' : BigInt(at), events)
              acknowledged.push(...events.map(({ id }) => id))
            } catch (error) {
              if (!(error instanceof WrongExpectedRevision)) throw error
            }
          }
          const read = await all(log().readStream(stream))
          return JSON.stringify(read.map(({ id }) => id)) === JSON.stringify(acknowledged)
        },
      ),
      { numRuns: 30 },
    )
    t.pass()
  })
}
