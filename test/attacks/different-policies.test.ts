import { randomUUID } from 'node:crypto'
import test from 'ava'
import { CeremonyFailed } from '../../commands/processes/rounds.ts'
import { makeShares } from '../../commands/processes/share-making.ts'
import { encodePolicy, type KeyPolicy } from '../../domain/authorisation/key-policy.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { SCHEMES, type Scheme } from '../../domain/threshold/scheme.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { post } from './coordinator.ts'

const timing = { windowMs: 5_000, roundTimeoutMs: 5_000 }

let system: TestSystem

test.before(async () => {
  system = await startTestSystem({ parties: 2 })
})

test.after.always(() => system?.close())

/** A key of both parties, led by a coordinator that tells the second one of another policy. */
async function generate(scheme: Scheme, other: Partial<KeyPolicy>) {
  const walletId = randomUUID()
  const keyId = randomUUID()
  const policy: KeyPolicy = {
    version: 1,
    walletId,
    clientKeys: [system.client.key],
    rawDigests: false,
    approvals: null,
    presignatures: 10,
  }
  const channel: PartyChannel = {
    ...system.channel,
    ask: (header, request, options) =>
      request.type === 'generateKey' && header.to === 'party-2'
        ? system.channel.ask(header, { ...request, key: { ...request.key, policy: encodePolicy({ ...policy, ...other }) } }, options)
        : system.channel.ask(header, request, options),
  }
  const parties = ['party-1', 'party-2']
  const authorisation = system.client.authorise(post(`/v1/wallets/${walletId}/keys`, { scheme, threshold: 2, parties }))
  const key = { keyId, threshold: 2, parties, authorisation, policy: encodePolicy(policy) }
  return makeShares(channel, {
    attempt: { scheme, kind: 'key-generation', ceremonyId: keyId, attempt: 1 },
    request: { type: 'generateKey', key },
    participants: parties,
    alike: parties,
    rounds: protocolOf(scheme).rounds.keyGeneration,
    key,
    ...timing,
  })
}

for (const scheme of SCHEMES)
  test.serial(`holders that are told of different policies find out, and make no ${scheme} key together`, async (t) => {
    t.is((await generate(scheme, {})).confirmations.length, 2)
    for (const other of [{ rawDigests: true }, { presignatures: 1000 }, { version: 2 }] as const)
      await t.throwsAsync(generate(scheme, other), { instanceOf: CeremonyFailed, code: 'invalid_reply' } as object)
  })
