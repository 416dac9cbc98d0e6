import test from 'ava'
import { partySettings } from './settings.ts'

test('a party needs an id that can stand in a subject and a path', (t) => {
  for (const QUORATE_PARTY_ID of [undefined, '', 'a.b', '../x', 'a b', '-x', 'x'.repeat(65)])
    t.throws(() => partySettings({ QUORATE_PARTY_ID }, '/data'), { message: /QUORATE_PARTY_ID/ })
  t.deepEqual(partySettings({ QUORATE_PARTY_ID: 'party-1' }, '/data'), {
    partyId: 'party-1',
    dir: '/data/parties/party-1',
    token: undefined,
    presignatureTtlMs: 3_600_000,
  })
})

test('openings are kept for a day at most', (t) => {
  const withTtl = (seconds: string) => ({ QUORATE_PARTY_ID: 'party-1', QUORATE_PRESIGNATURE_TTL_SECONDS: seconds })
  t.is(partySettings(withTtl('86400'), '/data').presignatureTtlMs, 86_400_000)
  for (const seconds of ['0', '86401', '-1', '1.5', 'soon'])
    t.throws(() => partySettings(withTtl(seconds), '/data'), { message: /QUORATE_PRESIGNATURE_TTL_SECONDS/ })
})

test('a configured token needs its PIN, and its slot must be a number', (t) => {
  const env = { QUORATE_PARTY_ID: 'party-1', QUORATE_PKCS11_MODULE: '/lib/module.so' }
  t.throws(() => partySettings(env, '/data'), { message: /QUORATE_PKCS11_PIN/ })
  const withPin = { ...env, QUORATE_PKCS11_PIN: '1234' }
  t.throws(() => partySettings({ ...withPin, QUORATE_PKCS11_SLOT: 'first' }, '/data'), { message: /QUORATE_PKCS11_SLOT/ })
  t.deepEqual(partySettings({ ...withPin, QUORATE_PKCS11_SLOT: '3' }, '/data').token, {
    modulePath: '/lib/module.so',
    slot: 3,
    pin: '1234',
  })
  t.is(partySettings(withPin, '/data').token?.slot, undefined)
})
