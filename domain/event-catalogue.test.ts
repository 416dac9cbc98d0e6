import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import test from 'ava'
import { account } from './account/account.ts'
import { ACCOUNT_STREAMS } from './account/events.ts'
import { fold } from './decider.ts'
import { CATALOGUE, currentEvent, versionToWrite } from './event-catalogue.ts'
import { KEY_SHARE_STREAMS } from './key-share/events.ts'
import { keyShare } from './key-share/key-share.ts'
import { PARTY_STREAMS } from './party/events.ts'
import type { RecordedEvent } from './ports/event-log.ts'
import { SCAVENGE_STREAMS } from './scavenge/events.ts'
import { SIGNING_SESSION_STREAMS } from './signing-session/events.ts'
import { signingSession } from './signing-session/signing-session.ts'
import { transferAssignment } from './transfer/assignment.ts'
import { TRANSFER_STREAMS } from './transfer/events.ts'
import { WALLET_STREAMS } from './wallet/events.ts'
import { wallet } from './wallet/wallet.ts'
import { WEBHOOK_STREAMS } from './webhook/events.ts'
import { webhook } from './webhook/webhook.ts'

/** Of each type and version one event as it was stored, and of each aggregate the state that the current ones lead to. */
const EXAMPLES: { readonly [streams: string]: { folder: string; decider?: { stateVersion: number } } } = {
  [WALLET_STREAMS]: { folder: 'wallet', decider: wallet },
  [ACCOUNT_STREAMS]: { folder: 'account', decider: account },
  [KEY_SHARE_STREAMS]: { folder: 'key-share', decider: keyShare },
  [SIGNING_SESSION_STREAMS]: { folder: 'signing-session', decider: signingSession },
  [PARTY_STREAMS]: { folder: 'party' },
  [TRANSFER_STREAMS]: { folder: 'transfer', decider: transferAssignment },
  [WEBHOOK_STREAMS]: { folder: 'webhook', decider: webhook },
  [SCAVENGE_STREAMS]: { folder: 'scavenge' },
}
const domain = resolve(import.meta.dirname, '../../domain')

for (const { streams, schemas } of CATALOGUE) {
  const { folder, decider } = EXAMPLES[streams]!
  const example = async (name: string) => JSON.parse(await readFile(join(domain, folder, 'examples', `${name}.json`), 'utf8'))
  const stored = async (type: string, version: number): Promise<RecordedEvent> => ({
    id: '5f0e8f0e-3c4f-4d4e-8a55-1d3a4f5b6c7d',
    type,
    stream: `${streams}1`,
    revision: 0n,
    position: 0n,
    recordedAt: '2026-01-01T00:00:00.000Z',
    data: await example(`${type}.v${version}`),
    metadata: {
      commandId: 'a',
      correlationId: 'b',
      causationId: 'c',
      actor: 'me',
      tenant: 'acme',
      occurredAt: '2026-01-01T00:00:00.000Z',
      schemaVersion: version,
    },
  })
  const types = Object.keys(schemas).map((type) => ({ type, current: versionToWrite(`${streams}1`, type) }))

  for (const { type, current } of types) {
    test(`${type} is read in each of its versions, all as the current one`, async (t) => {
      const expected = await example(`${type}.v${current}`)
      for (let version = 1; version <= current; version++) t.deepEqual(currentEvent(await stored(type, version)).data, expected)
    })

    test(`${type} cannot be read without any one of its fields`, async (t) => {
      const event = await stored(type, current)
      for (const field of Object.keys(event.data)) {
        const { [field]: _, ...rest } = event.data as Record<string, unknown>
        t.throws(() => currentEvent({ ...event, data: rest }), { code: 'event_unreadable' }, field)
      }
    })
  }

  test(`every example of ${folder} is of a version that there is`, async (t) => {
    const known = types.flatMap(({ type, current }) => Array.from({ length: current }, (_, index) => `${type}.v${index + 1}.json`))
    const files = (await readdir(join(domain, folder, 'examples'))).filter((file) => !file.startsWith('state.'))
    t.deepEqual(files.toSorted(), known.toSorted())
  })

  if (!decider) continue
  test(`the state of ${folder} is what its version says: raise stateVersion when it is not`, async (t) => {
    const events = await Promise.all(types.map(({ type, current }) => stored(type, current)))
    const state = fold(decider as unknown as typeof wallet, events as never)
    t.deepEqual(JSON.parse(JSON.stringify(state)), await example(`state.v${decider.stateVersion}`))
  })
}

test('events of other streams are none of the catalogue', (t) => {
  const event = { stream: 'elsewhere', type: 'WalletCreated', data: null } as unknown as RecordedEvent
  t.is(currentEvent(event), event)
})
