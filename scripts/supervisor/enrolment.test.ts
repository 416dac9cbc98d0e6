import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { IdentityRefused } from '../../adapters/identity/refused.ts'
import { readSettings } from '../../adapters/process/settings.ts'
import { readRegistry } from '../../adapters/registry/registry-file.ts'
import { enrolOnce } from './enrolment.ts'

const settingsOf = (dataDir: string) => readSettings({ QUORATE_DATA_DIR: dataDir, QUORATE_PARTIES: '2' })

let original: string
test.before(async () => {
  original = await mkdtemp(join(tmpdir(), 'quorate-enrolment-'))
  await enrolOnce(settingsOf(original))
})
test.after.always(() => rm(original, { recursive: true, force: true }))

/** Settings of a deployment of two parties that has been enrolled. */
async function enrolled(t: ExecutionContext) {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-enrolment-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  await cp(original, dataDir, { recursive: true })
  return settingsOf(dataDir)
}

/** Runs a process to its end; nothing listens where it is told that the servers are. */
async function run(entry: string, env: NodeJS.ProcessEnv): Promise<{ code: number; errors: string }> {
  const nowhere = '127.0.0.1:1'
  const servers = {
    QUORATE_NATS_URL: `nats://${nowhere}`,
    QUORATE_MONGODB_URL: `mongodb://${nowhere}`,
    QUORATE_EVENTSTORE_URL: `esdb://${nowhere}`,
  }
  const child = spawn(process.execPath, [join(import.meta.dirname, '../..', entry)], { env: { ...process.env, ...servers, ...env } })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const [code] = await once(child, 'close')
  return { code, errors }
}

const runParty = (dataDir: string, id: string) => run('parties/main.js', { QUORATE_DATA_DIR: dataDir, QUORATE_PARTY_ID: id })

test('a registry is written once, for its owner only, with parties and coordinator in it', async (t) => {
  const settings = await enrolled(t)
  const { parties, coordinators } = await readRegistry(settings.registryFile)
  t.deepEqual([...parties.keys()], ['party-1', 'party-2'])
  t.deepEqual([...coordinators.keys()], ['coordinator'])
  t.is((await stat(settings.registryFile)).mode & 0o777, 0o600)

  const before = await readFile(settings.registryFile)
  await enrolOnce(settings)
  t.deepEqual(await readFile(settings.registryFile), before)
})

test('parties that are more than before are added, and those that are there stay as they are', async (t) => {
  const settings = await enrolled(t)
  const before = await readRegistry(settings.registryFile)
  await enrolOnce({ ...settings, parties: ['party-1', 'party-2', 'party-3', 'party-4'] })
  const { parties, coordinators } = await readRegistry(settings.registryFile)
  t.deepEqual([...parties.keys()], ['party-1', 'party-2', 'party-3', 'party-4'])
  t.deepEqual([...parties].slice(0, 2), [...before.parties])
  t.deepEqual(coordinators, before.coordinators)
  t.is((await stat(settings.registryFile)).mode & 0o777, 0o600)
})

test('no party is added to a registry that was named, nor one that was taken out, and who starts it hears why in a line', async (t) => {
  const settings = await enrolled(t)
  const named = join(settings.dataDir, 'named.json')
  await cp(settings.registryFile, named)
  const more = { ...settings, parties: ['party-1', 'party-2', 'party-3'] }
  const notEnrolled = { instanceOf: IdentityRefused, code: 'not_enrolled' }
  await t.throwsAsync(enrolOnce({ ...more, registryFile: named }), notEnrolled)
  t.deepEqual(await readFile(named), await readFile(settings.registryFile))

  const { parties, ...rest } = JSON.parse(await readFile(settings.registryFile, 'utf8'))
  await writeFile(settings.registryFile, JSON.stringify({ ...rest, parties: parties.slice(1) }))
  await t.throwsAsync(enrolOnce(more), notEnrolled)
  const { code, errors } = await run('scripts/start.js', { QUORATE_DATA_DIR: settings.dataDir, QUORATE_PARTIES: '3', QUORATE_PORT: '0' })
  t.is(code, 1)
  t.regex(errors, /^quorate: party-1 is not in the registry: [^\n]+\n$/)
})

test('a party that has lost or swapped its keys, or is not in the registry, does not start, and says why', async (t) => {
  const { dataDir, registryFile } = await enrolled(t)
  const folder = (id: string) => join(dataDir, 'parties', id)
  t.like(await runParty(dataDir, 'party-3'), {
    code: 1,
    errors: 'party-3: party-3 is not in the registry: an operator adds what `npm run --silent enrol -- --party party-3` prints\n',
  })

  await rm(folder('party-1'), { recursive: true })
  const lost = await runParty(dataDir, 'party-1')
  t.is(lost.code, 1)
  t.regex(lost.errors, /^party-1: the keys of party-1 are not those in the registry/)

  await rm(folder('party-1'), { recursive: true })
  await rename(folder('party-2'), folder('party-1'))
  const swapped = await runParty(dataDir, 'party-1')
  t.is(swapped.code, 1)
  t.regex(swapped.errors, /^party-1: [^\n]+\n$/)

  await writeFile(registryFile, '{}')
  t.regex((await runParty(dataDir, 'party-1')).errors, /^party-1: QUORATE_REGISTRY: /)
  await rm(registryFile)
  t.regex((await runParty(dataDir, 'party-1')).errors, /^party-1: QUORATE_REGISTRY: there is no file/)
})

test('a coordinator that has lost its key does not start, and says why', async (t) => {
  const { dataDir } = await enrolled(t)
  await rm(join(dataDir, 'coordinator'), { recursive: true })
  const { code, errors } = await run('commands/processes/main.js', { QUORATE_DATA_DIR: dataDir })
  t.is(code, 1)
  t.regex(errors, /^processes: the keys of coordinator are not those in the registry/)
})
