/** A token issuer for one machine, where no identity provider is configured: an Ed25519 key in the data folder. */
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTVerifyGetKey,
  SignJWT,
} from 'jose'
import type { Role } from './route.ts'

export const DEVELOPMENT_ISSUER = 'quorate-development'
export const DEVELOPMENT_AUDIENCE = 'quorate'

export type DevelopmentIssuer = {
  /** Verifies what this issuer signs. */
  keys: JWTVerifyGetKey
  issueToken(claims: { sub: string; tenant: string; roles: readonly Role[]; ttlSeconds: number }): Promise<string>
}

/** Opens `<dataDir>/dev-issuer.json` (mode 0600), making it first where it is missing. Processes that do so at once end up with the same key. */
export async function openDevelopmentIssuer(dataDir: string): Promise<DevelopmentIssuer> {
  const path = join(dataDir, 'dev-issuer.json')
  const privateJwk = (await readJwk(path)) ?? (await createJwk(dataDir, path))
  const { d: _, ...publicJwk } = privateJwk
  const key = await importJWK(privateJwk, 'EdDSA')
  return {
    keys: createLocalJWKSet({ keys: [publicJwk] }),
    issueToken: ({ sub, tenant, roles, ttlSeconds }) =>
      new SignJWT({ tenant, roles })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: privateJwk.kid as string })
        .setIssuer(DEVELOPMENT_ISSUER)
        .setAudience(DEVELOPMENT_AUDIENCE)
        .setSubject(sub)
        .setIssuedAt()
        .setExpirationTime(`${ttlSeconds}s`)
        .setJti(randomUUID())
        .sign(key),
  }
}

async function readJwk(path: string): Promise<JWK | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A link appears whole or not at all, and never over one that another process has made. */
async function createJwk(dataDir: string, path: string): Promise<JWK> {
  await mkdir(dataDir, { recursive: true })
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const jwk = await exportJWK(privateKey)
  const draft = `${path}.${randomUUID()}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(JSON.stringify({ ...jwk, alg: 'EdDSA', use: 'sig', kid: await calculateJwkThumbprint(jwk) }))
    await file.sync()
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await file.close()
    await rm(draft)
  }
  return JSON.parse(await readFile(path, 'utf8'))
}
