import test from 'ava'
import type { KeyView } from '../../scripts/client/client.ts'
import { allowance } from '../allowance.ts'
import { signal, startTestSystem, type TestSystem, until } from './system.ts'

let system: TestSystem
let key: KeyView
test.before(async () => {
  system = await startTestSystem()
  key = await system.client.generateKey(await system.client.createWallet('loss'), 'frost-ed25519', 2, 3)
})
test.after.always(() => system?.stop())

const sign = async () => {
  const { sessionId } = await system.client.requestSignature(key.keyId, { kind: 'message', encoding: 'utf8', data: 'x' })
  return system.client.session(sessionId)
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const began = Date.now()
  return { result: await work(), ms: Date.now() - began }
}

const promptly = async () => 2_000 + (await allowance(sign))

async function partyPids(...partyIds: string[]): Promise<number[]> {
  const { items } = await system.client.get<{ items: { partyId: string; pid: number }[] }>('/v1/parties')
  return partyIds.map((id) => items.find(({ partyId }) => partyId === id)?.pid as number)
}

/** Until each of these parties is another process than before, and heard of. */
const back = (partyIds: readonly string[], before: readonly number[]) =>
  until(async () => {
    const pids = await partyPids(...partyIds)
    return pids.every((pid, index) => pid !== before[index])
  }, 'the parties to be back')

test.serial('with one holder frozen, a signature is made by the others within two seconds', async (t) => {
  for (const partyId of key.parties) {
    const [pid] = await partyPids(partyId)
    const withinMs = await promptly()
    signal(pid as number, 'SIGSTOP')
    try {
      const { result, ms } = await timed(sign)
      t.like(result, { status: 'signed' })
      t.true(ms < withinMs, `${ms} of ${withinMs} ms`)
    } finally {
      signal(pid as number, 'SIGCONT')
    }
  }
})

test.serial('with two holders frozen a session fails with their names, and signing works when they are back', async (t) => {
  const gone = key.parties.slice(0, 2)
  const pids = await partyPids(...gone)
  for (const pid of pids) signal(pid, 'SIGSTOP')
  try {
    const { result: session, ms } = await timed(sign)
    t.true(ms < 20_000, `${ms} ms`)
    t.like(session, { status: 'failed', failure: { code: 'quorum_unavailable' } })
    t.deepEqual((session.failure as { culprits?: string[] }).culprits?.toSorted(), gone.toSorted())
  } finally {
    for (const pid of pids) signal(pid, 'SIGCONT')
  }
  t.like(await sign(), { status: 'signed' })
})

test.serial('with one holder killed, a signature is made by the others, and the dead one comes back', async (t) => {
  const [pid] = await partyPids(key.parties[0] as string)
  const withinMs = await promptly()
  signal(pid as number, 'SIGKILL')
  const { result, ms } = await timed(sign)
  t.like(result, { status: 'signed' })
  t.true(ms < withinMs, `${ms} of ${withinMs} ms`)
  await back(key.parties.slice(0, 1), [pid as number])
})

test.serial('with two holders killed a session fails, and signing works again without a restart of anything else', async (t) => {
  const gone = key.parties.slice(1)
  const pids = await partyPids(...gone)
  for (const pid of pids) signal(pid, 'SIGKILL')
  t.like(await sign(), { status: 'failed', failure: { code: 'quorum_unavailable' } })
  await back(gone, pids)
  t.like(await sign(), { status: 'signed' })
})

test.serial('what was lost shows in the standing of the parties, and an operator can have it forgotten', async (t) => {
  const standing = () => system.client.get<{ items: { partyId: string; circuit: string; health: number }[] }>('/v1/parties')
  const { items } = await standing()
  t.true(items.every(({ circuit, health }) => ['closed', 'open', 'half_open'].includes(circuit) && health > 0 && health <= 1))
  const lost = items.find(({ health }) => health < 1)!
  const { baseUrl, token } = system.dev
  const path = `${baseUrl}/v1/admin/circuits/${lost.partyId}/force-close`
  const response = await fetch(path, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  const { circuits } = (await response.json()) as { circuits: { circuit: string }[] }
  t.deepEqual(
    circuits.map(({ circuit }) => circuit),
    ['closed'],
  )
  t.like(
    (await standing()).items.find(({ partyId }) => partyId === lost.partyId),
    { circuit: 'closed', health: 1 },
  )
})
