import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { CATALOGUE } from '../domain/event-catalogue.ts'
import { PROJECTIONS } from './catalogue.ts'
import { changeFeed } from './change-feed.ts'
import { DOMAIN_STREAMS, type RecordedDomainEvent } from './projection.ts'

/** The newest example of every type of event, by the streams that it is in. */
async function examples(): Promise<{ stream: string; type: string; data: unknown }[]> {
  const domain = join(import.meta.dirname, '../../domain')
  const folders = (await readdir(domain, { recursive: true })).filter((path) => path.endsWith('examples'))
  const files = (
    await Promise.all(folders.map(async (folder) => (await readdir(join(domain, folder))).map((name) => join(domain, folder, name))))
  ).flat()
  const found = []
  for (const { streams, schemas } of CATALOGUE.filter(({ streams }) => DOMAIN_STREAMS.includes(streams)))
    for (const [type, { steps = [] }] of Object.entries(schemas)) {
      const file = files.find((path) => path.endsWith(`/${type}.v${steps.length + 1}.json`))
      found.push({ stream: `${streams}1`, type, data: JSON.parse(await readFile(file!, 'utf8')) })
    }
  return found
}

test('a change of any document of any read model is announced on a subject of its own', async (t) => {
  const subjects = new Set<string>()
  const feed = changeFeed({ publish: (subject) => subjects.add(subject) })
  const written = new Set<string>()
  const metadata = { tenant: 'acme', actor: 'a', occurredAt: '2026-01-01T00:00:00.000Z' }
  for (const [index, event] of (await examples()).entries()) {
    const position = BigInt(index + 1)
    const recorded = { ...event, id: 'e', revision: 0n, position, metadata } as unknown as RecordedDomainEvent
    for (const { name, apply } of PROJECTIONS)
      for (const { id } of apply(recorded)) {
        feed.changed(name, id, position)
        written.add(`quorate.projection.${name}.${id}`)
      }
  }
  t.deepEqual(subjects, written)
  for (const { name } of PROJECTIONS)
    t.true(
      [...subjects].some((subject) => subject.startsWith(`quorate.projection.${name}.`)),
      name,
    )
})

test('an id that is no token of a subject is told to nobody', (t) => {
  const subjects: string[] = []
  const feed = changeFeed({ publish: (subject) => subjects.push(subject) })
  for (const id of ['a.b', 'a*', '>', 'a b', '']) feed.changed('wallets', id, 1n)
  t.deepEqual(subjects, [])
})
