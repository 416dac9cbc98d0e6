import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, posix, relative, resolve } from 'node:path'
import test from 'ava'

/** Folders that code of a folder may import from, beside itself. A `main.ts` is a composition root and may import everything. */
const ALLOWED: { readonly [folder: string]: readonly string[] } = {
  domain: [],
  adapters: ['domain'],
  http: ['domain'],
  commands: ['domain', 'http'],
  queries: ['domain', 'http'],
  projections: ['domain'],
  parties: ['domain'],
  audit: ['domain'],
  webhooks: ['domain', 'http', 'commands', 'queries'],
  scripts: ['domain', 'adapters', 'http', 'commands', 'queries', 'projections', 'parties', 'audit', 'webhooks'],
}

/** Packages that talk to something outside belong to the adapters alone. */
const DRIVERS = [
  '@eventstore/db-client',
  '@grpc/grpc-js',
  'mongodb',
  'bson',
  'mingo',
  'nats',
  'pkcs11js',
  'libsql',
  '@hpke/core',
  '@scure/base',
  '@scure/btc-signer',
  '@solana/kit',
  'viem',
  'cockatiel',
  '@aws-sdk/client-s3',
  'hyparquet',
  'hyparquet-writer',
  '@bokuweb/zstd-wasm',
]

const root = resolve(import.meta.dirname, '../..')

type Import = { file: string; specifier: string; target: string | undefined }

test('each folder imports only what DESIGN allows it', async (t) => {
  const imports = await importsOf(Object.keys(ALLOWED))
  t.true(imports.length > 100)
  t.deepEqual(
    imports.filter(isForbidden).map(({ file, specifier }) => `${file} imports ${specifier}`),
    [],
  )
})

test('the domain imports no package but @noble, and node:crypto where noble would take too long', async (t) => {
  const packages = (await importsOf(['domain'])).filter(({ target, file }) => target === undefined && !isTest(file))
  t.true(packages.length > 0)
  const allowed = ({ file, specifier }: Import) =>
    specifier.startsWith('@noble/') || (specifier === 'node:crypto' && file.startsWith('domain/threshold/dkls23/'))
  t.deepEqual(
    packages.filter((found) => !allowed(found)).map(({ file, specifier }) => `${file} imports ${specifier}`),
    [],
  )
})

test('there are no import cycles', async (t) => {
  const graph = new Map<string, string[]>()
  for (const { file, target } of await importsOf(Object.keys(ALLOWED))) {
    if (target !== undefined) graph.set(file, [...(graph.get(file) ?? []), target])
  }
  t.deepEqual(cyclesOf(graph), [])
})

/** Tests, and what only tests use. */
const isTest = (file: string) => file.endsWith('.test.ts') || file.includes('/testing/')

function isForbidden({ file, specifier, target }: Import): boolean {
  if (isTest(file) || file.endsWith('/main.ts')) return false
  const folder = file.split('/')[0] as string
  if (target !== undefined) {
    const other = target.split('/')[0] as string
    return other !== folder && !ALLOWED[folder]?.includes(other)
  }
  return folder !== 'adapters' && DRIVERS.some((driver) => specifier === driver || specifier.startsWith(`${driver}/`))
}

async function importsOf(folders: readonly string[]): Promise<Import[]> {
  const files = (await Promise.all(folders.map(sourcesUnder))).flat()
  const found = await Promise.all(
    files.map(async (file) => {
      const source = await readFile(join(root, file), 'utf8')
      return [...source.matchAll(/(?:^|[\s;}])(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => ({
        file,
        specifier: specifier as string,
        target: specifier?.startsWith('.') ? posix.join(dirname(file), specifier) : undefined,
      }))
    }),
  )
  return found.flat()
}

async function sourcesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
}

/** The first cycle through each file, as paths joined by arrows. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file)
    if (start >= 0) {
      cycles.push([...path.slice(start), file].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return cycles
}
