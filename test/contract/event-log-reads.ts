import { all, event, events, freshStream, ids, isInOrder, type Suite } from './event-log-suite.ts'

export function readContract({ define, log, connect }: Suite): void {
  define('a stream that does not exist is empty', async (t) => {
    t.deepEqual(await all(log().readStream(freshStream())), [])
  })

  define('reads go on from a revision, and stop at a limit', async (t) => {
    const stream = freshStream()
    for (let from = 0; from < 1200; from += 300) {
      await log().append(
        stream,
        from === 0 ? 'no_stream' : BigInt(from - 1),
        Array.from({ length: 300 }, () => event()),
      )
    }
    t.is((await all(log().readStream(stream))).length, 1200)
    const some = await all(log().readStream(stream, { from: 700n, limit: 20 }))
    t.deepEqual([some.length, some[0]?.revision, some.at(-1)?.revision], [20, 700n, 719n])
  })

  define('a stream is read whole, however many events it has', async (t) => {
    for (const count of [1, 499, 500, 501, 1000, 1001]) {
      const stream = freshStream()
      const appended = events(count)
      await log().append(stream, 'no_stream', appended)
      const read = await all(log().readStream(stream))
      t.deepEqual(ids(read), ids(appended))
      t.true(read.every(({ revision }, index) => revision === BigInt(index)))
      t.deepEqual(await all(log().readStream(stream, { from: BigInt(count) })), [])
      t.deepEqual(ids(await all(log().readStream(stream, { from: BigInt(count - 1) }))), [appended.at(-1)!.id])
    }
  })

  define('what is appended is read at once, by everybody', async (t) => {
    const other = connect()
    const stream = freshStream()
    for (let revision = 0n; revision < 20n; revision++) {
      const { position } = await log().append(stream, 'any', [event()])
      t.is((await all(other.readStream(stream))).at(-1)?.revision, revision)
      t.is((await all(other.readAll({ after: position - 1n, limit: 1 })))[0]?.position, position)
    }
    await other.close()
  })

  define('the whole log is in order of position, and goes on after one', async (t) => {
    const [a, b] = [freshStream(), freshStream()]
    const { position } = await log().append(a, 'no_stream', [event()])
    await log().append(b, 'no_stream', [event(), event()])
    await log().append(a, 0n, [event()])
    const after = (await all(log().readAll({ after: position }))).filter(({ stream }) => stream === a || stream === b)
    t.deepEqual(
      after.map(({ stream, revision }) => [stream, revision]),
      [
        [b, 0n],
        [b, 1n],
        [a, 1n],
      ],
    )
    const positions = (await all(log().readAll({ limit: 50 }))).map((each) => each.position)
    t.deepEqual(
      positions,
      positions.toSorted((x, y) => Number(x - y)),
    )
  })

  define('the whole log, read in parts, has each event once', async (t) => {
    const streams = Array.from({ length: 7 }, freshStream)
    const { position: start } = await log().append(freshStream(), 'no_stream', [event()])
    await Promise.all(streams.map((stream) => log().append(stream, 'no_stream', events(180))))
    const mine = new Set(streams)
    const parts: Awaited<ReturnType<typeof part>> = []
    const part = (after: bigint) => all(log().readAll({ after, limit: 333 }))
    for (let after = start; parts.filter(({ stream }) => mine.has(stream)).length < 7 * 180; ) {
      const next = await part(after)
      if (next.length === 0) break
      parts.push(...next)
      after = next.at(-1)!.position
    }
    t.true(isInOrder(parts))
    const found = parts.filter(({ stream }) => mine.has(stream))
    t.is(found.length, 7 * 180)
    t.deepEqual(ids(found.filter(({ stream }) => stream === streams[3])), ids(await all(log().readStream(streams[3]!))))
  })

  define('the last position is that of the newest event of the streams asked for', async (t) => {
    const [a, b] = [freshStream(), freshStream()]
    t.is(await log().lastPosition([a]), undefined)
    const first = await log().append(a, 'no_stream', [event()])
    const second = await log().append(`${b}-more`, 'no_stream', events(2))
    await log().append(freshStream(), 'no_stream', events(700))
    t.is(await log().lastPosition([a]), first.position)
    t.is(await log().lastPosition([a, b]), second.position)
  })

  define('of a stream the newest snapshot is kept, and no other event of it', async (t) => {
    const stream = freshStream()
    const { position } = await log().append(stream, 'no_stream', [event()])
    t.is(await log().readSnapshot(stream), undefined)
    for (let n = 1; n <= 3; n++) {
      await log().writeSnapshot(stream, { n, nested: { list: [n] } })
      t.deepEqual(await log().readSnapshot(stream), { n, nested: { list: [n] } })
    }
    t.is((await all(log().readStream(stream))).length, 1)
    const after = await log().append(stream, 0n, [event()])
    const streams = (await all(log().readAll({ after: position })))
      .filter((each) => each.position <= after.position)
      .map((each) => each.stream)
    t.false(streams.some((each) => each !== stream && each.includes(stream)))
  })
}
