import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { authenticator, issuerKeys } from './authentication.ts'
import { DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, openDevelopmentIssuer } from './development-issuer.ts'

const CLAIMS = { sub: 'dev', tenant: '*', roles: ['client', 'operator'] as const, ttlSeconds: 60 }

test('processes that open the issuer at once share one key, readable by its owner only', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'quorate-issuer-'))
  t.teardown(() => rm(parent, { recursive: true }))
  const dataDir = join(parent, 'data')
  const issuers = await Promise.all(Array.from({ length: 8 }, () => openDevelopmentIssuer(dataDir)))
  const rules = { issuer: DEVELOPMENT_ISSUER, audience: DEVELOPMENT_AUDIENCE }
  const [first, ...others] = issuers
  for (const other of others) {
    const authorization = `Bearer ${await other.issueToken(CLAIMS)}`
    t.like(await authenticator({ ...rules, keys: first!.keys })(authorization), { sub: 'dev', tenant: '*' })
  }
  t.deepEqual(await readdir(dataDir), ['dev-issuer.json'])
  t.is((await stat(join(dataDir, 'dev-issuer.json'))).mode & 0o777, 0o600)
})

test('the key outlives the process', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-issuer-'))
  t.teardown(() => rm(dataDir, { recursive: true }))
  const authorization = `Bearer ${await (await openDevelopmentIssuer(dataDir)).issueToken(CLAIMS)}`
  t.like(await authenticator({ keys: (await openDevelopmentIssuer(dataDir)).keys })(authorization), { sub: 'dev' })
})

test('keys can be given as a JWKS file', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-issuer-'))
  t.teardown(() => rm(dataDir, { recursive: true }))
  const { issueToken } = await openDevelopmentIssuer(dataDir)
  const { d: _, ...publicJwk } = JSON.parse(await readFile(join(dataDir, 'dev-issuer.json'), 'utf8'))
  await writeFile(join(dataDir, 'jwks.json'), JSON.stringify({ keys: [publicJwk] }))
  const authenticate = authenticator({ keys: await issuerKeys(pathToFileURL(join(dataDir, 'jwks.json'))) })
  t.like(await authenticate(`Bearer ${await issueToken(CLAIMS)}`), { sub: 'dev', roles: ['client', 'operator'] })
})
