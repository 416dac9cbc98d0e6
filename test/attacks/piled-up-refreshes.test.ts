/** A coordinator that has holders confirm attempt after attempt at one refresh, until none of them would begin another. */
import { hexToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { heardBy, type Said } from '../../commands/processes/rounds.ts'
import type { CeremonyKind, CeremonyReply, CeremonyRequest, ShareReference } from '../../domain/ceremony/messages.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { everyQuorumSigns, filesOf, onlyInForce } from '../ceremony/key-checks.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'

const HOLDERS = ['party-1', 'party-2', 'party-3']
/** Beyond those that an honest coordinator will number. */
const FIRST_ATTEMPT = 100

let system: TestSystem
let key: ExistingKeyShare
let attempt = FIRST_ATTEMPT

test.before(async () => {
  system = await startTestSystem({ parties: 3 })
})
test.beforeEach(async () => {
  key = await system.generateKey(await system.createWallet(), { scheme: 'frost-secp256k1-tr', threshold: 2, parties: HOLDERS })
})
test.after.always(() => system?.close())

const ask = (kind: CeremonyKind, number: number, round: number, to: string, request: CeremonyRequest): Promise<CeremonyReply> =>
  system.channel.ask({ scheme: key.scheme, kind, ceremonyId: key.keyId, attempt: number, round, to }, request, { timeoutMs: 20_000 })

const wish = () => system.authorise(`/v1/keys/${key.keyId}/refresh`, {})
const shareOf = (epoch: number, number: number): ShareReference => ({
  keyId: key.keyId,
  epoch,
  attempt: number,
  publicKey: hexToBytes(key.publicKey!),
})

type Words = ReadonlyMap<string, CeremonyReply>

async function begin(authorisation: ReturnType<typeof wish>): Promise<{ number: number; words: Words }> {
  const number = attempt++
  const request: CeremonyRequest = { type: 'refreshKey', share: shareOf(1, key.attempt), authorisation }
  return {
    number,
    words: new Map(await Promise.all(HOLDERS.map(async (to) => [to, await ask('refresh', number, 1, to, request)] as const))),
  }
}

/** Goes on until somebody has something else to say than words. */
async function goOn({ number, words }: { number: number; words: Words }): Promise<Words> {
  for (let round = 2; [...words.values()].every(({ type }) => type === 'said'); round++) {
    const replies = HOLDERS.map(async (to) => {
      const request: CeremonyRequest = { type: 'proceed', heard: heardBy(to, words as ReadonlyMap<string, Said>) }
      return [to, await ask('refresh', number, round, to, request)] as const
    })
    words = new Map(await Promise.all(replies))
  }
  return words
}

async function confirm(number: number): Promise<CeremonyReply[]> {
  const request: CeremonyRequest = { type: 'confirmRefresh', share: shareOf(2, number) }
  return Promise.all(HOLDERS.map((to) => ask('refresh-completion', number, 1, to, request)))
}

const every = (words: Words, type: CeremonyReply['type']) => [...words.values()].every((each) => each.type === type)

test.serial('one wish of the client is good for one confirmed share, whatever is begun one after the other', async (t) => {
  const authorisation = wish()
  for (let failed = 0; failed < 3; failed++) t.true(every(await goOn(await begin(authorisation)), 'generated'))
  const first = await begin(authorisation)
  t.true(every(await goOn(first), 'generated'))
  for (const reply of await confirm(first.number)) t.is(reply.type, 'confirmed')
  const { words } = await begin(authorisation)
  for (const reply of words.values()) t.like(reply, { type: 'refused', code: 'intent_reused' })
})

test.serial('nor is it good for more when all attempts are begun before any is confirmed', async (t) => {
  const authorisation = wish()
  const begun = []
  for (let i = 0; i < 10; i++) begun.push(await begin(authorisation))
  for (const each of begun) {
    await goOn(each)
    await confirm(each.number)
  }
  for (const id of HOLDERS) t.deepEqual((await filesOf(system, id, key.keyId)).length, 2)
})

test.serial('however many wishes it has used up, the key is refreshed at the next one, and rid of what was piled up', async (t) => {
  for (let i = 0; i < 9; i++) {
    const each = await begin(wish())
    t.true(every(await goOn(each), 'generated'))
    await confirm(each.number)
  }
  const refreshed = await system.refresh(key.keyId)
  t.like(refreshed, { epoch: 2, status: 'active' })
  await everyQuorumSigns(t, system, refreshed)
  const next = await system.refresh(key.keyId)
  t.is(next.epoch, 3)
  await onlyInForce(system, next)
})
