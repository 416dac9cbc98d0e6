import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { openDevelopmentIssuer } from '../../http/development-issuer.ts'
import { PLATFORM_TENANT, ROLES } from '../../http/route.ts'

/** All that a client needs to talk to a Quorate on this machine. */
export type DevelopmentClient = { baseUrl: string; token: string; kid: string; privateJwk: JWK; publicJwk: JWK }

const TOKEN_TTL_SECONDS = 30 * 24 * 60 * 60

const clientFile = (dataDir: string) => join(dataDir, 'dev-client.json')

/** So that nobody finds a client whose server does not answer yet. */
export async function removeDevelopmentClient(dataDir: string): Promise<void> {
  await rm(clientFile(dataDir), { force: true })
}

/** Writes `<dataDir>/dev-client.json` (mode 0600) with a token of every role in the platform's tenant. The key survives restarts. */
export async function writeDevelopmentClient(dataDir: string, baseUrl: string): Promise<DevelopmentClient> {
  const privateJwk = await readOrCreateKey(join(dataDir, 'dev-client-key.json'))
  const { d: _, ...publicJwk } = privateJwk
  const issuer = await openDevelopmentIssuer(dataDir)
  const token = await issuer.issueToken({ sub: 'dev-client', tenant: PLATFORM_TENANT, roles: ROLES, ttlSeconds: TOKEN_TTL_SECONDS })
  const client = { baseUrl, token, kid: privateJwk.kid as string, privateJwk, publicJwk }
  await writePrivate(clientFile(dataDir), client)
  return client
}

async function readOrCreateKey(path: string): Promise<JWK> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), kid: `dev-${randomUUID()}` }
  await writePrivate(path, jwk)
  return jwk
}

async function writePrivate(path: string, value: object): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, JSON.stringify(value, null, 2), { mode: 0o600 })
  await rename(draft, path)
}
