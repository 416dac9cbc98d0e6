import { appendFile, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { fill, fillSegments, logFiles, reopen, replaceByCopy, rewrite, temporaryFolder, type Written } from './damaged-folder.ts'
import { type Random, randomFrom } from './random.ts'
import { spawnServer } from './server-process.ts'

// One after the other: when a client loses its connection, it fails the appends of all other clients in the process.

const APPENDS = 12
const TRIALS = 25

/** A log of twelve appends, and what each kind of damage is done to: a copy of it. */
async function original(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  const [whole, copy] = [join(folder, 'whole'), join(folder, 'copy')]
  const written = await fill(whole, APPENDS)
  const seed = String(Date.now())
  t.log(`seed ${seed}`)
  const fresh = async () => {
    await replaceByCopy(whole, copy)
    return (await logFiles(copy))[0]!
  }
  return { copy, written, fresh, random: randomFrom(seed) }
}

const places = (written: readonly Written[]) => written.flatMap((append) => append.places)

/** Of a file that is only whole up to `at`. */
const wholeBefore = (written: readonly Written[], at: number) => written.filter(({ end }) => end <= at)

/** A place within the last append. */
const inTail = (random: Random, written: readonly Written[]) => {
  const [before, last] = [written.at(-2)!.end, written.at(-1)!.end]
  return before + random.below(last - before)
}

/** How a server ended that would not start on a folder. */
async function refusal(t: ExecutionContext, dataDir: string): Promise<string> {
  const server = spawnServer({ dataDir })
  const url = await server.url
  if (url !== undefined) server.kill()
  t.is(url, undefined)
  t.is((await server.exit).code, 1)
  t.is(server.log.length, 1, server.log.join('\n'))
  return server.log[0] ?? ''
}

test.serial('a log cut off anywhere keeps every whole append before, says so, and goes on', async (t) => {
  const { copy, written, fresh, random } = await original(t)
  for (let trial = 0; trial < TRIALS; trial++) {
    const file = await fresh()
    const at = written[0]!.end + random.below(written.at(-1)!.end - written[0]!.end)
    await truncate(file.path, at)
    const kept = wholeBefore(written, at)
    const { places: found, said } = await reopen(copy)
    t.deepEqual(found, places(kept), `cut off at ${at}`)
    if (at > kept.at(-1)!.end) t.regex(said[0]!, new RegExp(`${file.name}.*\\b${kept.at(-1)!.end}\\b`))
  }
})

test.serial('a bit flipped in the last append, or bytes of it zeroed, cost no more than that append', async (t) => {
  const { copy, written, fresh, random } = await original(t)
  const kept = written.slice(0, -1)
  for (let trial = 0; trial < TRIALS; trial++) {
    const file = await fresh()
    const at = inTail(random, written)
    const bit = random.below(8)
    const zeroed = random.chance(0.5)
    await rewrite(file.path, (content) => {
      if (zeroed) content.fill(0, at)
      else content[at]! ^= 1 << bit
      return content
    })
    const { places: found, said } = await reopen(copy)
    t.deepEqual(found, places(kept), `${zeroed ? 'zeros from' : `bit ${bit} at`} ${at}`)
    if (at > kept.at(-1)!.end) t.regex(said[0]!, new RegExp(`${file.name}.*\\b${kept.at(-1)!.end}\\b`))
  }
})

test.serial('garbage or zeros after the last append cost nothing', async (t) => {
  const { copy, written, fresh, random } = await original(t)
  for (const [what, bytes] of [
    ['garbage', Buffer.from(Array.from({ length: 5000 }, () => random.below(256)))],
    ['zeros', Buffer.alloc(300_000)],
    ['one byte', Buffer.from([1])],
    ['a part of the log again', undefined],
  ] as const) {
    for (const where of ['at the end of the file', 'right after the last append'] as const) {
      const file = await fresh()
      const end = written.at(-1)!.end
      // The part lacks the beginning of an append, so that it looks like none.
      const repeated = async () => rewrite(file.path, (content) => Buffer.concat([content, content.subarray(end - 40, end)]))
      if (where === 'right after the last append') await truncate(file.path, end)
      if (bytes === undefined) await repeated()
      else await appendFile(file.path, bytes)
      const { places: found, said } = await reopen(copy)
      t.deepEqual(found, places(written), `${what} ${where}`)
      if (what !== 'zeros') t.regex(said[0]!, new RegExp(`${file.name}.*\\b${end}\\b`), `${what} ${where}`)
    }
  }
})

test.serial('a bit flipped, or bytes cut out, before the last append: the server refuses to start and says where', async (t) => {
  const { copy, written, fresh, random } = await original(t)
  for (let trial = 0; trial < TRIALS; trial++) {
    const file = await fresh()
    const at = random.below(written.at(-2)!.end - 100)
    const cutOut = random.chance(0.4) ? 1 + random.below(90) : 0
    await rewrite(file.path, (content) => {
      if (cutOut > 0) return Buffer.concat([content.subarray(0, at), content.subarray(at + cutOut)])
      content[at]! ^= 1 << random.below(8)
      return content
    })
    const intact = wholeBefore(written, at).at(-1)?.end ?? 0
    const { message } = await t.throwsAsync(
      reopen(copy),
      undefined,
      cutOut > 0 ? `${cutOut} bytes cut out at ${at}` : `a bit flipped at ${at}`,
    )
    t.true(message.includes(file.name), message)
    if (intact > 0) t.regex(message, new RegExp(`\\b${intact}\\b`))
  }
})

test.serial('a server that refuses to start ends with 1 and one line, and changes nothing', async (t) => {
  const { copy, written, fresh } = await original(t)
  const file = await fresh()
  await rewrite(file.path, (content) => {
    content[written[5]!.end + 20]! ^= 1
    return content
  })
  const line = await refusal(t, copy)
  t.regex(line, new RegExp(`${file.name}.*\\b${written[5]!.end}\\b`))
  t.is(await refusal(t, copy), line)
})

test.serial('damage in any segment but the last, or a segment that is missing, is named', async (t) => {
  const folder = await temporaryFolder(t)
  const [whole, copy] = [join(folder, 'whole'), join(folder, 'copy')]
  const events = fillSegments(whole, 4096, 150)
  const segments = await logFiles(whole)
  t.true(segments.length >= 4)
  await replaceByCopy(whole, copy)
  t.is((await reopen(copy)).places.length, events)
  for (const index of segments.keys()) {
    const isLast = index === segments.length - 1
    const damages: Record<string, (path: string) => Promise<void>> = {
      'bit flipped': (path) =>
        rewrite(path, (content) => {
          content[1000]! ^= 4
          return content
        }),
      'cut off': (path) => truncate(path, 1000),
      emptied: (path) => truncate(path, 0),
      'replaced by another one': (path) => replaceByCopy(join(copy, segments[(index + 1) % segments.length]!.name), path),
      missing: (path) => rm(path),
    }
    for (const [what, damage] of Object.entries(damages)) {
      // At the very end, what is missing cannot be told from what was never written.
      if (isLast && what !== 'bit flipped') continue
      await replaceByCopy(whole, copy)
      await damage(join(copy, segments[index]!.name))
      const { message } = await t.throwsAsync(reopen(copy), undefined, `${segments[index]!.name} ${what}`)
      t.true(message.includes(segments[index]!.name), `${what}: ${message}`)
    }
  }
  await replaceByCopy(whole, copy)
  await rm(join(copy, segments[1]!.name))
  t.true((await refusal(t, copy)).includes(segments[1]!.name))
})
