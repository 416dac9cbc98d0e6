/** Who calls: bearer tokens (JWT, RFC 7519) checked against an issuer's keys. */
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { Unavailable } from '../domain/ports/event-log.ts'
import { Problem } from './problem.ts'
import { PLATFORM_TENANT, type Principal, ROLES, type Route, TENANT } from './route.ts'

const ALGORITHMS = ['EdDSA', 'ES256', 'RS256']
const CLOCK_TOLERANCE_SECONDS = 5
const MAX_REMEMBERED = 10_000
/** A token is verified again after this long, so that a key withdrawn by its issuer stops working. */
const REMEMBERED_MS = 60_000
const JWKS_TIMEOUT_MS = 3_000

const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i

export type Authenticate = (authorization: string | undefined) => Promise<Principal>

export type TokenRules = {
  keys: JWTVerifyGetKey
  /** Checked when given. */
  issuer?: string | undefined
  audience?: string | undefined
  /** Milliseconds since the epoch. */
  now?: () => number
}

/**
 * The keys that an issuer publishes as a JWKS (RFC 7517): of a `file:` URL read once, else fetched when needed and again when a token names an
 * unknown one. @throws when the file cannot be read or is not a JWKS
 */
export async function issuerKeys(url: URL): Promise<JWTVerifyGetKey> {
  if (url.protocol === 'file:') return createLocalJWKSet(JSON.parse(await readFile(url, 'utf8')))
  return createRemoteJWKSet(url, { timeoutDuration: JWKS_TIMEOUT_MS })
}

/**
 * Turns an `Authorization` header into a principal.
 * It throws Problem `token_missing`, `token_invalid` or `token_expired`, and Unavailable when the issuer's keys cannot be had.
 */
export function authenticator({ now = Date.now, ...rules }: TokenRules): Authenticate {
  const verified = new Map<string, { principal: Principal; until: number }>()

  return async (authorization) => {
    const token = BEARER.exec(authorization ?? '')?.[1]
    if (!token) throw unauthenticated('token_missing', 'send Authorization: Bearer with a token')
    const digest = hash('sha256', token, 'base64')
    const known = verified.get(digest)
    verified.delete(digest)
    if (known && known.until > now()) {
      verified.set(digest, known)
      return known.principal
    }
    const { principal, expires } = await verify(token, { ...rules, now })
    const oldest = verified.size < MAX_REMEMBERED ? undefined : verified.keys().next().value
    if (oldest !== undefined) verified.delete(oldest)
    verified.set(digest, { principal, until: Math.min(expires * 1000, now() + REMEMBERED_MS) })
    return principal
  }
}

/** @throws Problem `forbidden` when the route is not for this principal */
export function authorise(route: Route, principal: Principal): void {
  if (!route.roles.some((role) => principal.roles.includes(role)))
    throw new Problem('forbidden', `this takes one of the roles ${route.roles.join(', ')}`)
  if (route.platform && principal.tenant !== PLATFORM_TENANT) throw new Problem('forbidden', 'this is for the platform itself')
}

async function verify(
  token: string,
  { keys, issuer, audience, now }: Required<Pick<TokenRules, 'now'>> & TokenRules,
): Promise<{ principal: Principal; expires: number }> {
  try {
    const { payload } = await jwtVerify(token, reachable(keys), {
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['exp'],
      currentDate: new Date(now()),
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    })
    return { principal: principalFrom(payload), expires: payload.exp as number }
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw unauthenticated('token_expired', 'the token has expired', error)
    if (error instanceof errors.JWTClaimValidationFailed)
      throw unauthenticated('token_invalid', `the claim ${error.claim} is missing or not acceptable`, error)
    if (error instanceof errors.JOSEError) throw unauthenticated('token_invalid', 'the token cannot be verified', error)
    throw error
  }
}

/** An issuer that cannot be reached says nothing about the token: that is not the caller's fault. */
function reachable(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await keys(header, token)
    } catch (error) {
      const aboutTheToken =
        error instanceof errors.JOSEError &&
        !(error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error.code === errors.JOSEError.code)
      if (aboutTheToken) throw error
      throw new Unavailable('the token issuer', { cause: error })
    }
  }
}

function principalFrom({ sub, tenant, roles }: JWTPayload): Principal {
  if (typeof sub !== 'string' || sub.length < 1 || sub.length > 255) throw claimRefused('sub', '1 to 255 characters')
  if (typeof tenant !== 'string' || !TENANT.test(tenant)) throw claimRefused('tenant', 'a name of at most 64 letters, digits, dots, dashes')
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) throw claimRefused('roles', 'a list of names')
  return { sub, tenant, roles: ROLES.filter((role) => roles.includes(role)) }
}

function claimRefused(claim: string, rule: string): Problem {
  return unauthenticated('token_invalid', `the claim ${claim} must be ${rule}`)
}

function unauthenticated(code: 'token_missing' | 'token_invalid' | 'token_expired', detail: string, cause?: unknown): Problem {
  const reason = code === 'token_missing' ? '' : `, error="invalid_token", error_description="${detail}"`
  return new Problem(code, detail, { headers: { 'WWW-Authenticate': `Bearer realm="quorate"${reason}` }, cause })
}
