import test from 'ava'
import { verifyJws } from '../../adapters/jws/verify-jws.ts'
import type { Authorisation } from '../key-share/events.ts'
import { type IntentRules, verifyIntent } from './intent.ts'
import { type AuthorisationCode, AuthorisationRefused } from './refused.ts'
import { createSigner } from './testing/signer.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const SECONDS = NOW / 1000
const request = { method: 'POST', path: '/v1/keys/k/signatures', body: '{"payload":"é"}' }
const signers = [createSigner('laptop'), createSigner('hsm', 'P-256')]
const [laptop, hsm] = signers as [(typeof signers)[0], (typeof signers)[0]]
const rules: IntentRules = { keys: signers.map(({ key }) => key), verify: verifyJws, now: NOW }
const at = NOW

const refused = (code: AuthorisationCode) => ({ instanceOf: AuthorisationRefused, code })

for (const signer of signers) {
  test(`an intent by a ${signer.key.crv} key holds, and says whose it is`, (t) => {
    const intent = verifyIntent(signer.authorise(request, { at, claims: { jti: 'one' } }), rules)
    t.deepEqual(intent, { kid: signer.kid, jti: 'one', iat: SECONDS, exp: SECONDS + 120 })
  })

  test(`an intent by a ${signer.key.crv} key does not hold with any character of it changed`, (t) => {
    const { intent, ...rest } = signer.authorise(request, { at })
    for (let index = 0; index < intent!.length; index++) {
      const other = intent![index] === 'A' ? 'B' : 'A'
      const changed = intent!.slice(0, index) + other + intent!.slice(index + 1)
      t.throws(() => verifyIntent({ ...rest, intent: changed }, rules), { instanceOf: AuthorisationRefused }, `${index}`)
    }
  })
}

test('there must be an intent, by one of the keys', (t) => {
  t.throws(() => verifyIntent({ ...request, intent: null }, rules), refused('intent_missing'))
  t.throws(() => verifyIntent(createSigner('stranger').authorise(request, { at }), rules), refused('intent_unknown_key'))
  t.throws(() => verifyIntent(createSigner('laptop').authorise(request, { at }), rules), refused('intent_signature_invalid'))
  t.throws(() => verifyIntent(laptop.authorise(request, { at }), { ...rules, keys: [] }), refused('intent_unknown_key'))
})

for (const [what, claims, code] of [
  ['for another method', { htm: 'GET' }, 'intent_method_mismatch'],
  ['for another path', { htu: `${request.path}/` }, 'intent_path_mismatch'],
  ['for another host and path', { htu: `http://localhost${request.path}` }, 'intent_path_mismatch'],
  ['for another body', { bodyDigest: 'AA' }, 'intent_body_mismatch'],
  ['that has expired', { iat: SECONDS - 100, exp: SECONDS - 5 }, 'intent_expired'],
  ['made in the future', { iat: SECONDS + 31, exp: SECONDS + 60 }, 'intent_not_yet_valid'],
  ['valid for too long', { exp: SECONDS + 301 }, 'intent_window_too_long'],
  ['that expires when it is made', { exp: SECONDS }, 'intent_window_too_long'],
  ['that expires before it is made', { exp: SECONDS - 1 }, 'intent_window_too_long'],
  ['with a fraction of a second', { iat: SECONDS + 0.5 }, 'intent_malformed'],
  ['with a time in words', { exp: `${SECONDS + 60}` }, 'intent_malformed'],
  ['with a time before the epoch', { iat: -1 }, 'intent_malformed'],
  ['without a number', { jti: undefined }, 'intent_malformed'],
  ['with an empty number', { jti: '' }, 'intent_malformed'],
  ['with a number that looks like a path', { jti: 'a/b' }, 'intent_malformed'],
  ['with a number that is too long', { jti: 'a'.repeat(65) }, 'intent_malformed'],
  ['with a claim that nobody knows', { aud: 'quorate' }, 'intent_malformed'],
] as const) {
  test(`an intent ${what} is refused`, (t) => {
    t.throws(() => verifyIntent(laptop.authorise(request, { at, claims }), rules), refused(code))
  })
}

for (const [what, claims] of [
  ['made by a clock that is ahead', { iat: SECONDS + 30, exp: SECONDS + 40 }],
  ['that has just expired', { iat: SECONDS - 100, exp: SECONDS - 4 }],
  ['valid for as long as one may be', { exp: SECONDS + 300 }],
] as const) {
  test(`an intent ${what} holds`, (t) => {
    t.notThrows(() => verifyIntent(laptop.authorise(request, { at, claims }), rules))
  })
}

test('where it may be late, an intent holds up to its age, and not before it was made', (t) => {
  const aged = (seconds: number, maxAgeSeconds = 1_000) =>
    verifyIntent(laptop.authorise(request, { at: NOW - seconds * 1000 }), { ...rules, maxAgeSeconds })
  t.notThrows(() => aged(1_000))
  t.throws(() => aged(1_006), refused('intent_expired'))
  t.throws(() => aged(-31), refused('intent_not_yet_valid'))
})

for (const [what, header] of [
  ['another type', { typ: 'JWT' }],
  ['no type', { typ: undefined }],
  ['no algorithm', { alg: 'none' }],
  ["another key's algorithm", { alg: 'ES256' }],
  ['a symmetric algorithm', { alg: 'HS256' }],
  ['critical extensions', { crit: ['exp'] }],
  ['a key of its own', { jwk: laptop.key }],
  ['a content type', { cty: 'JWT' }],
] as const) {
  test(`a header with ${what} is refused`, (t) => {
    t.throws(() => verifyIntent(laptop.authorise(request, { at, header }), rules), refused('intent_malformed'))
  })
}

test('a key id that is no text names nobody', (t) => {
  for (const kid of [undefined, null, 0, ['laptop'], { laptop: 1 }])
    t.throws(() => verifyIntent(laptop.authorise(request, { at, header: { kid } }), rules), { instanceOf: AuthorisationRefused })
})

const CLAIMS = JSON.stringify({ jti: 'one', iat: SECONDS, exp: SECONDS + 60, htm: 'POST', htu: request.path, bodyDigest: 'x' })
const HEADER = '{"typ":"intent+jwt","alg":"EdDSA","kid":"laptop"}'

for (const [what, header, claims] of [
  ['a name twice in the header', HEADER.replace('{', '{"alg":"none",'), CLAIMS],
  ['a name twice in the claims', HEADER, CLAIMS.replace('{', '{"htu":"/v1/other",')],
  ['a header that is a list', '[]', CLAIMS],
  ['claims that are a list', HEADER, '[]'],
  ['claims that are not JSON', HEADER, 'claims'],
  ['a byte order mark', HEADER, `\ufeff${CLAIMS}`],
] as const) {
  test(`an intent with ${what} is refused, though signed`, (t) => {
    const intent = laptop.compact(header, claims)
    t.throws(() => verifyIntent({ ...request, intent }, rules), refused('intent_malformed'))
  })
}

test('other spellings of an intent are refused', (t) => {
  const { intent, ...rest } = laptop.authorise(request, { at })
  const [header, payload, signature] = intent!.split('.') as [string, string, string]
  const lastBits = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(signature.length - 1) + 1)
  for (const changed of [
    '',
    '..',
    `${header}.${payload}`,
    `${intent}.`,
    `${intent}.${signature}`,
    `${intent}==`,
    ` ${intent}`,
    `${intent}\n`,
    `${header}.${payload}.${lastBits}`,
    `${header}.${'A'.repeat(9_000)}.${signature}`,
    JSON.stringify({ protected: header, payload, signature }),
  ])
    t.throws(() => verifyIntent({ ...rest, intent: changed }, rules), refused('intent_malformed'), changed)
})

test('a signature made by one algorithm does not hold under a key of the other', (t) => {
  const swapped = {
    ...rules,
    keys: [
      { ...laptop.key, kid: 'hsm' },
      { ...hsm.key, kid: 'laptop' },
    ],
  }
  for (const signer of signers) t.throws(() => verifyIntent(signer.authorise(request, { at }), swapped), refused('intent_malformed'))
})

test('an ES256 signature in DER, of another length, or of none, does not hold', (t) => {
  const { intent, ...rest } = hsm.authorise(request, { at })
  const signed = intent!.slice(0, intent!.lastIndexOf('.'))
  for (const bytes of [Buffer.alloc(64), Buffer.alloc(0), Buffer.alloc(70, 48), Buffer.alloc(63, 1)]) {
    const changed: Authorisation = { ...rest, intent: `${signed}.${bytes.toString('base64url')}` }
    t.throws(() => verifyIntent(changed, rules), refused('intent_signature_invalid'))
  }
})
