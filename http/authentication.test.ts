import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { Unavailable } from '../domain/ports/event-log.ts'
import { authenticator, issuerKeys } from './authentication.ts'
import { Problem } from './problem.ts'

const CLAIMS = { sub: 'alice', tenant: 'acme', roles: ['client'] }
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

async function issuer(alg = 'EdDSA') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg }
  return {
    jwk,
    keys: createLocalJWKSet({ keys: [jwk] }),
    sign: (payload: JWTPayload, kid = 'k1') =>
      new SignJWT({ exp: inSeconds(60), ...payload }).setProtectedHeader({ alg, kid }).sign(privateKey),
  }
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

for (const alg of ['EdDSA', 'ES256', 'RS256'])
  test(`a token signed with ${alg} tells who calls`, async (t) => {
    const { keys, sign } = await issuer(alg)
    const authenticate = authenticator({ keys })
    const authorization = `Bearer ${await sign({ ...CLAIMS, roles: ['auditor', 'client', 'someone-elses-role'] })}`
    const principal = { sub: 'alice', tenant: 'acme', roles: ['client', 'auditor'] as const }
    t.deepEqual(await authenticate(authorization), principal)
    t.deepEqual(await authenticate(authorization), principal)
  })

test('a missing, foreign, altered, unsigned or otherwise unacceptable token is refused with a challenge', async (t) => {
  const { keys, sign } = await issuer()
  const stranger = await issuer()
  const rsa = await issuer('RS512')
  const authenticate = authenticator({ keys, issuer: 'us', audience: 'quorate' })
  const good = { ...CLAIMS, iss: 'us', aud: 'quorate' }
  const token = await sign(good)
  const [head, payload, signature] = token.split('.') as [string, string, string]
  const hmac = await new SignJWT({ ...good, exp: inSeconds(60) })
    .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
    .sign(Buffer.from('a secret long enough for this hash'))
  const unsigned = `${base64url({ alg: 'none', kid: 'k1' })}.${payload}.`

  const refused: [name: string, authorization: string | undefined, code: string][] = [
    ['none', undefined, 'token_missing'],
    ['empty', '', 'token_missing'],
    ['another scheme', `Basic ${token}`, 'token_missing'],
    ['two tokens', `Bearer ${token} ${token}`, 'token_missing'],
    ['garbage', 'Bearer x', 'token_invalid'],
    ['alg none', `Bearer ${unsigned}`, 'token_invalid'],
    ['alg HS256', `Bearer ${hmac}`, 'token_invalid'],
    ['alg RS512', `Bearer ${await rsa.sign(good)}`, 'token_invalid'],
    ['a stranger', `Bearer ${await stranger.sign(good)}`, 'token_invalid'],
    ['an unknown key', `Bearer ${await sign(good, 'k2')}`, 'token_invalid'],
    ['altered claims', `Bearer ${head}.${base64url({ ...good, tenant: '*', exp: inSeconds(60) })}.${signature}`, 'token_invalid'],
    ['expired', `Bearer ${await sign({ ...good, exp: inSeconds(-6) })}`, 'token_expired'],
    ['without expiry', `Bearer ${await sign({ ...good, exp: undefined })}`, 'token_invalid'],
    ['not valid yet', `Bearer ${await sign({ ...good, nbf: inSeconds(60) })}`, 'token_invalid'],
    ['another issuer', `Bearer ${await sign({ ...good, iss: 'them' })}`, 'token_invalid'],
    ['another audience', `Bearer ${await sign({ ...good, aud: 'other' })}`, 'token_invalid'],
    ['no subject', `Bearer ${await sign({ ...good, sub: undefined })}`, 'token_invalid'],
    ['no tenant', `Bearer ${await sign({ ...good, tenant: undefined })}`, 'token_invalid'],
    ['an odd tenant', `Bearer ${await sign({ ...good, tenant: 'a b' })}`, 'token_invalid'],
    ['no roles', `Bearer ${await sign({ ...good, roles: undefined })}`, 'token_invalid'],
    ['roles as text', `Bearer ${await sign({ ...good, roles: 'client' })}`, 'token_invalid'],
    ['odd roles', `Bearer ${await sign({ ...good, roles: ['client', 5] })}`, 'token_invalid'],
  ]
  for (const [name, authorization, code] of refused) {
    const error = await t.throwsAsync(authenticate(authorization), { instanceOf: Problem }, name)
    t.deepEqual([error?.status, error?.code], [401, code], name)
    t.regex(error?.headers['WWW-Authenticate'] ?? '', /^Bearer realm="quorate"/, name)
  }
  t.like(await authenticate(`Bearer ${token}`), CLAIMS)
  t.like(await authenticate(`Bearer ${await sign({ ...good, exp: inSeconds(-3), nbf: inSeconds(3) })}`), CLAIMS)
})

test('a remembered token stops working when it expires, or a minute after its key was withdrawn', async (t) => {
  const { keys, sign } = await issuer()
  let now = Date.now()
  let withdrawn = false
  const authenticate = authenticator({
    keys: (header, token) => (withdrawn ? createLocalJWKSet({ keys: [] })(header, token) : keys(header, token)),
    now: () => now,
  })
  const brief = `Bearer ${await sign({ ...CLAIMS, exp: inSeconds(30) })}`
  const long = `Bearer ${await sign({ ...CLAIMS, exp: inSeconds(3600) })}`
  t.like(await authenticate(brief), CLAIMS)
  t.like(await authenticate(long), CLAIMS)
  withdrawn = true
  now += 29_000
  t.like(await authenticate(brief), CLAIMS)
  withdrawn = false
  now += 7_000
  t.is((await t.throwsAsync(authenticate(brief), { instanceOf: Problem }))?.code, 'token_expired')
  withdrawn = true
  t.like(await authenticate(long), CLAIMS)
  now += 60_000
  t.is((await t.throwsAsync(authenticate(long), { instanceOf: Problem }))?.code, 'token_invalid')
})

test('keys come from a JWKS URL; while it cannot be reached that is unavailability, not a bad token', async (t) => {
  const { jwk, sign } = await issuer()
  const jwks = createServer((_, response) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: [jwk] })))
  await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve))
  const url = new URL(`http://127.0.0.1:${(jwks.address() as AddressInfo).port}/jwks`)
  const authorization = `Bearer ${await sign(CLAIMS)}`

  t.like(await authenticator({ keys: await issuerKeys(url) })(authorization), CLAIMS)
  await new Promise((resolve) => jwks.close(resolve).closeAllConnections())
  await t.throwsAsync(authenticator({ keys: await issuerKeys(url) })(authorization), { instanceOf: Unavailable })
})

test('an issuer that answers with an error, or with something else than keys, is unavailable too', async (t) => {
  const { sign } = await issuer()
  const authorization = `Bearer ${await sign(CLAIMS)}`
  for (const [status, body] of [
    [500, 'sorry'],
    [200, 'not JSON'],
    [200, '{"keys": 5}'],
  ] as const) {
    const jwks = createServer((_, response) => response.writeHead(status).end(body))
    await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve))
    t.teardown(() => jwks.close().closeAllConnections())
    const url = new URL(`http://127.0.0.1:${(jwks.address() as AddressInfo).port}/`)
    await t.throwsAsync(authenticator({ keys: await issuerKeys(url) })(authorization), { instanceOf: Unavailable }, body)
  }
})
