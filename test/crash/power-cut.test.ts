import { cp, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import test from 'ava'
import { placeOf } from './audit.ts'
import { logFiles, reopen, replaceByCopy, rewrite, temporaryFolder } from './damaged-folder.ts'
import { randomFrom } from './random.ts'
import { startServer } from './server-process.ts'

/** What a disk writes as a whole. */
const SECTOR = 512
const TRIALS = 20

test.serial('a power cut while an append is written leaves it whole or absent, and everything before as it was', async (t) => {
  const seed = String(Date.now())
  t.log(`seed ${seed}`)
  const random = randomFrom(seed)
  const folder = await temporaryFolder(t)
  const [dataDir, before, after, image] = ['data', 'before', 'after', 'image'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ]
  const server = await startServer({ dataDir })
  const client = EventStoreDBClient.connectionString(server.url)
  const events = (count: number, size: number) =>
    Array.from({ length: count }, () => jsonEvent({ type: 'Happened', data: { text: 'x'.repeat(random.below(size)) } }))
  for (let n = 0; n < 30; n++) await client.appendToStream('damaged', events(1 + random.below(4), 2000))
  const places = async () => {
    const found: string[] = []
    for await (const { event } of client.readStream('damaged')) if (event) found.push(placeOf(event))
    return found
  }
  const acknowledged = await places()
  await cp(dataDir, before, { recursive: true })
  await client.appendToStream('damaged', events(40, 1500))
  const whole = await places()
  await cp(dataDir, after, { recursive: true })
  server.kill()
  await server.exit
  void client.dispose()

  const { name } = (await logFiles(after)).at(-1)!
  const [old, recent] = await Promise.all([readFile(join(before, name)), readFile(join(after, name))])
  const sectors = Array.from({ length: Math.ceil(recent.length / SECTOR) }, (_, index) => index * SECTOR).filter(
    (at) => Buffer.compare(old.subarray(at, at + SECTOR), recent.subarray(at, at + SECTOR)) !== 0,
  )
  t.true(sectors.length > 20)
  /** The file with these sectors of the last append, and the others as they were before; or as long as it is whole, and no longer. */
  const imageOf = async (written: (at: number) => boolean, length = recent.length) => {
    await replaceByCopy(after, image)
    await rewrite(join(image, name), (content) => {
      for (const at of sectors) if (!written(at)) content.fill(0, at, at + SECTOR) && old.copy(content, at, at, at + SECTOR)
      return content.subarray(0, length)
    })
    return (await reopen(image)).places
  }
  t.deepEqual(await imageOf(() => true), whole)
  t.deepEqual(await imageOf(() => false), acknowledged)
  for (let trial = 0; trial < TRIALS; trial++) {
    const chance = random.below(100) / 100
    const missing = sectors[random.below(sectors.length)]
    const length = random.chance(0.3) ? sectors[0]! + SECTOR + random.below(sectors.at(-1)! - sectors[0]!) : recent.length
    const found = await imageOf((at) => at !== missing && random.chance(chance), length)
    t.deepEqual(found, acknowledged)
  }
})

test.serial('a power cut while a new file is begun leaves everything before as it was', async (t) => {
  const folder = await temporaryFolder(t)
  const [dataDir, image] = [join(folder, 'data'), join(folder, 'image')]
  const server = await startServer({ dataDir })
  const client = EventStoreDBClient.connectionString(server.url)
  const { nextExpectedRevision } = await client.appendToStream('damaged', jsonEvent({ type: 'Happened', data: {} }))
  t.is(nextExpectedRevision, 0n)
  server.kill()
  await server.exit
  void client.dispose()
  const first = (await logFiles(dataDir))[0]!
  const next = first.name.replace(/\d+/, (digits) => String(Number(digits) + 1).padStart(digits.length, '0'))
  for (const length of [0, 1, 7, 50, 99, 4096]) {
    await replaceByCopy(dataDir, image)
    const file = await open(join(image, next), 'w')
    await file.truncate(length)
    await file.close()
    t.is((await reopen(image)).places.length, 1, `${length} bytes`)
  }
})
