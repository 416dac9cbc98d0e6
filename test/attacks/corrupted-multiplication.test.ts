/**
 * A signer corrupts what it multiplies with another, bit by bit, to learn from which tries are found out what the other holds. There is no second
 * try: the first has it banned from the key, for good, and what the two held in common is destroyed.
 */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { heardBy } from '../../commands/processes/rounds.ts'
import type { CeremonyAttempt, CeremonyReply } from '../../domain/ceremony/messages.ts'
import type { Said } from '../../domain/ceremony/statements.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { associatedData, decodeStoredShare } from '../../parties/share-record.ts'
import { askToSignTogether, openingsOf } from '../ceremony/by-hand.ts'
import { filesOf } from '../ceremony/key-checks.ts'
import { type SessionEvent, startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'
import { until } from '../crash/condition.ts'
import { ask, said } from './hostile-coordinator.ts'

const SCHEME = 'dkls23-secp256k1'
const [HONEST, CHEAT, BYSTANDER] = ['party-1', 'party-2', 'party-3'] as const
const message = new TextEncoder().encode('pay nobody')
/** Of all that is said in private only answers to multiplications are as long. */
const LONG = 50_000
const SCRIPT = join(import.meta.dirname, '../../scripts/unban.js')

const corrupted = (secret: Uint8Array) => (secret.length < LONG ? secret : secret.map((byte, i) => (i === LONG ? byte ^ 1 : byte)))

/** What a party holds of the key, in the clear. */
async function shareOf(system: TestSystem, partyId: string, { keyId, epoch, attempt }: ExistingKeyShare): Promise<Uint8Array> {
  const { dir } = system.party(partyId)
  const stored = decodeStoredShare(await readFile(join(dir, 'shares', keyId, `epoch-${epoch}-attempt-${attempt}.json`)))!
  return system.identities.party(partyId).vault.open(stored.sealed, associatedData(stored.record))
}

async function restart(system: TestSystem, partyId: string): Promise<void> {
  await system.party(partyId).kill()
  await system.party(partyId).revive()
}

/** Whether the honest party joins the other in a signature; it has to be let in by the others after it was restarted. */
async function answerOf(system: TestSystem, key: ExistingKeyShare, signers: readonly string[]) {
  let reply: Awaited<ReturnType<typeof askToSignTogether>> | undefined
  await until(
    async () => {
      reply = await askToSignTogether(system, key, HONEST, { sessionId: randomUUID(), message, signers })
      return reply.type !== 'refused' || reply.code !== 'busy'
    },
    () => 'the party does not answer',
    10_000,
  )
  return reply!
}

test.serial('a counterparty that spoils a multiplication is banned from the key, and others sign in its place', async (t) => {
  const system = await startTestSystem({ parties: 3 })
  t.teardown(system.close)
  const parties = [HONEST, CHEAT, BYSTANDER]
  const key = await system.generateKey(await system.createWallet(), { scheme: SCHEME, threshold: 2, parties })
  const before = await shareOf(system, HONEST, key)

  // The bystander is away until the two have met.
  await system.party(BYSTANDER).kill()
  system.party(CHEAT).whisper = corrupted
  const sessionId = await system.requestSignature(key, message)
  await until(
    async () => (await filesOf(system, HONEST, key.keyId)).includes(`banned-${CHEAT}`),
    () => 'nobody is banned',
    20_000,
  )
  await system.party(BYSTANDER).revive()
  const session = await system.outcome(sessionId)
  t.true(isSignature(SCHEME, key.publicKey!, message, session.signature), JSON.stringify(session.failure))
  t.deepEqual(session.signers, [HONEST, BYSTANDER])
  const attempts = ((await system.events(signingSessionStream(sessionId))) as SessionEvent[]).flatMap((event) =>
    event.type === 'SigningStarted' ? [event.data.previous] : [],
  )
  t.true(attempts.some((previous) => previous?.code === 'invalid_multiplication' && previous.culprits.join() === CHEAT))

  // What the two held in common is gone from the only file there is of the share.
  const after = await shareOf(system, HONEST, key)
  t.deepEqual(await filesOf(system, HONEST, key.keyId), [`banned-${CHEAT}`, `epoch-${key.epoch}-attempt-${key.attempt}.json`])
  t.true(after.length < before.length)
  t.false(Buffer.from(after).includes(Buffer.from(before).subarray(66 + 1, 66 + 65)), 'its seeds with the banned one')

  system.party(CHEAT).whisper = undefined
  await restart(system, HONEST)
  const refusal = { type: 'refused', code: 'counterparty_banned', culprits: [CHEAT] }
  t.like(await answerOf(system, key, [HONEST, CHEAT]), refusal)
  t.like(await answerOf(system, key, [HONEST, BYSTANDER]), { type: 'said' })

  const refreshed = await system.refresh(key.keyId)
  t.like(refreshed, { status: 'active', epoch: 2 })
  t.like(await answerOf(system, refreshed, [HONEST, CHEAT]), refusal)
  // All holders are still being told that the refresh is complete.
  await until(
    async () => (await filesOf(system, BYSTANDER, key.keyId)).every((file) => !file.startsWith(`epoch-${key.epoch}-`)),
    () => 'the bystander has not completed the refresh',
    20_000,
  )
  await system.party(BYSTANDER).kill()
  t.like(await system.sign(refreshed, message), { status: 'failed', failure: { code: 'party_unavailable', culprits: [BYSTANDER] } })
  await system.party(BYSTANDER).revive()

  const dataDir = join(system.dir, 'data')
  await mkdir(dataDir)
  await symlink(system.dir, join(dataDir, 'parties'))
  const env = { ...process.env, QUORATE_DATA_DIR: dataDir }
  const unban = (counterparty: string) =>
    promisify(execFile)(
      process.execPath,
      [SCRIPT, '--party', HONEST, '--key', key.keyId, '--counterparty', counterparty, '--yes-i-have-checked'],
      { env },
    )
  t.regex((await unban(BYSTANDER)).stdout, /is not banned/)
  t.like(await answerOf(system, refreshed, [HONEST, CHEAT]), refusal)
  t.regex((await unban(CHEAT)).stdout, /signs with party-2 again as soon as/)
  t.like(await answerOf(system, refreshed, [HONEST, CHEAT]), { type: 'refused', code: 'setup_missing', culprits: [CHEAT] })
  t.like(await answerOf(system, await system.refresh(key.keyId), [HONEST, CHEAT]), { type: 'said' })
  t.deepEqual(system.failures, [])
})

test.serial(
  'several tries at the same time are one: the first that fails ends the others, and what was made before is wiped',
  async (t) => {
    const system = await startTestSystem({ parties: 3 })
    t.teardown(system.close)
    const parties = [HONEST, CHEAT, BYSTANDER]
    const key = await system.generateKey(await system.createWallet(), { scheme: SCHEME, threshold: 2, parties })
    await openingsOf(system, key, [HONEST, CHEAT])
    const signers = [HONEST, CHEAT]
    const joining = (text: string) => {
      const sessionId = randomUUID()
      const attempt: CeremonyAttempt = { scheme: SCHEME, kind: 'signing', ceremonyId: sessionId, attempt: 1 }
      const join = (to: string) => askToSignTogether(system, key, to, { sessionId, message: new TextEncoder().encode(text), signers })
      const hear = async (round: number, to: string, spoken: ReadonlyMap<string, Said>) =>
        ask(system, { ...attempt, round, to }, { type: 'proceed', heard: heardBy(to, spoken) })
      return { join, hear }
    }
    const everybody = async (answer: (id: string) => Promise<CeremonyReply>) =>
      new Map(await Promise.all(signers.map(async (id) => [id, said(await answer(id))] as const)))

    const [spoilt, sound] = [joining('pay nobody'), joining('pay somebody')]
    const first = { spoilt: await everybody(spoilt.join), sound: await everybody(sound.join) }
    const second = { sound: await everybody((to) => sound.hear(2, to, first.sound)) }
    system.party(CHEAT).whisper = corrupted
    const corruptedSecond = await everybody((to) => spoilt.hear(2, to, first.spoilt))
    t.like(await spoilt.hear(3, HONEST, corruptedSecond), { type: 'refused', code: 'invalid_multiplication', culprits: [CHEAT] })
    t.like(await sound.hear(3, HONEST, second.sound), { type: 'refused', code: 'counterparty_banned', culprits: [CHEAT] })
    const { generated, consumed, expired } = system.party(HONEST).nonceCounts(key.keyId)
    t.is(expired, generated - consumed)
  },
)
