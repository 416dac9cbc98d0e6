import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { newIdentity } from '../../adapters/identity/testing/coordinator.ts'
import { signCheckpoint } from '../../domain/audit/checkpoint.ts'
import { readNote, readVkey } from '../../domain/audit/signed-note.ts'
import { signal, startTestSystem, type TestSystem, until } from './system.ts'

process.env.QUORATE_CHECKPOINT_SECONDS = '1'

type Item = { type: string; stream: string; revision: number }
type Checkpoint = { number: number; size: number; root: string; previous: string | null; note: string }

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 3 })
})
test.after.always(() => system?.stop())

/** What the API answers once it does. */
const answered = <T>(path: string) => until(() => system.client.get<T>(path).catch(() => undefined), path, 30_000)

const inFolder = (name: string) => join(system.dataDir, name)

/** The answer as it is, in a file. */
async function keep(name: string, path: string): Promise<string> {
  const file = inFolder(name)
  await writeFile(file, JSON.stringify(await answered(path)))
  return file
}

async function sign(): Promise<{ walletId: string; signature: string }> {
  const walletId = await system.client.createWallet('audited')
  const { keyId } = await system.client.generateKey(walletId, 'frost-ed25519', 2, 3)
  const { sessionId } = await system.client.requestSignature(keyId, { kind: 'message', encoding: 'utf8', data: 'x' })
  return { walletId, signature: (await system.client.session(sessionId)).signature }
}

const historyOf = async (walletId: string) => (await answered<{ items: Item[] }>(`/v1/wallets/${walletId}/history?limit=200`)).items

/** What `npm run verify` says, and its exit code. */
async function verified(...args: string[]): Promise<{ code: number; said: string }> {
  try {
    return { code: 0, said: await system.run('verify', '--key', inFolder('audit/vkey'), ...args) }
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string }
    return { code, said: stderr }
  }
}

test.serial('every event of a signature is proved to be in the log, to whoever has the public key', async (t) => {
  const { walletId, signature } = await sign()
  const items = await historyOf(walletId)
  const produced = items.find(({ type }) => type === 'SignatureProduced')!
  t.truthy(produced)
  for (const { type, stream, revision } of items) {
    const file = await keep('proof.json', `/v1/proofs/inclusion?event=${stream}@${revision}`)
    const { code, said } = await verified('--proof', file)
    t.is(code, 0, said)
    t.true(said.includes(`${type} of ${stream}`), said)
  }
  const proof = await answered<{ leaf: string }>(`/v1/proofs/inclusion?event=${produced.stream}@${produced.revision}`)
  t.is(JSON.parse(proof.leaf).data.signature, signature)
  const { vkey } = await answered<{ vkey: string }>('/v1/checkpoints/key')
  t.is((await readFile(inFolder('audit/vkey'), 'utf8')).trim(), vkey)
})

test.serial('a proof that was changed, or made with another key, is refused in words', async (t) => {
  const { walletId } = await sign()
  const items = await historyOf(walletId)
  // Once the newest is covered, so that the first has a long proof.
  await answered(`/v1/proofs/inclusion?event=${items[0]!.stream}@${items[0]!.revision}`)
  const created = items.at(-1)!
  const proof = await answered<{ leaf: string; index: number; hashes: string[]; checkpoint: string }>(
    `/v1/proofs/inclusion?event=${created.stream}@${created.revision}`,
  )
  const refused = async (changed: object, code: string) => {
    await writeFile(inFolder('changed.json'), JSON.stringify({ ...proof, ...changed }))
    const answer = await verified('--proof', inFolder('changed.json'))
    t.is(answer.code, 1, answer.said)
    t.true(answer.said.startsWith(`${code}: `), answer.said)
  }
  await refused({ leaf: proof.leaf.replace('"actor":"', '"actor":"x') }, 'inclusion_invalid')
  await refused({ index: proof.index - 1 }, 'inclusion_invalid')
  await refused({ hashes: proof.hashes.toReversed() }, 'inclusion_invalid')
  const [origin, size, root] = proof.checkpoint.split('\n') as [string, string, string]
  const forged = { size: Number(size), root: Buffer.from(root, 'base64'), previous: undefined, time: new Date().toISOString() }
  await refused({ checkpoint: await signCheckpoint(forged, newIdentity(origin)) }, 'checkpoint_invalid')
  await refused({ checkpoint: proof.checkpoint.replace(root, Buffer.alloc(32).toString('base64')) }, 'checkpoint_invalid')
  await refused({ more: 1 }, 'proof_malformed')
})

test.serial('while the tree is made again nothing that was proved is said not to exist', async (t) => {
  const { walletId } = await sign()
  const [newest] = await historyOf(walletId)
  const path = `/v1/proofs/inclusion?event=${newest!.stream}@${newest!.revision}`
  const before = await answered<{ index: number; leaf: string }>(path)
  const killed = await system.processes(/embedded\.js mongodb|audit\/main\.js/)
  t.is(killed.length, 2)
  for (const pid of killed) signal(pid, 'SIGKILL')
  const again = await until(async () => {
    const answer = await fetch(system.dev.baseUrl + path, { headers: { authorization: `Bearer ${system.dev.token}` } })
    if (answer.status !== 200 && answer.status !== 503) throw new Error(`answered ${answer.status}: ${await answer.text()}`)
    const isBack = (await system.processes(/audit\/main\.js/)).some((pid) => !killed.includes(pid))
    return answer.ok && isBack ? ((await answer.json()) as typeof before) : undefined
  }, 'the tree to be whole again')
  t.like(again, { index: before.index, leaf: before.leaf })
  t.is((await verified('--proof', await keep('proof.json', path))).code, 0)
})

test.serial('killed in the midst of it all, the log goes on from the checkpoint that was kept elsewhere', async (t) => {
  await sign()
  const kept = await keep('kept.json', '/v1/checkpoints/latest')
  const { size } = JSON.parse(await readFile(kept, 'utf8')) as Checkpoint
  const inFlight = sign().catch(() => undefined)
  await until(async () => (await answered<Checkpoint>('/v1/checkpoints/latest')).size > size, 'the log to go on')
  await system.killEverything()
  await inFlight
  await system.startAgain()
  const { walletId } = await sign()
  const [newest] = await historyOf(walletId)
  const proof = await keep('proof.json', `/v1/proofs/inclusion?event=${newest!.stream}@${newest!.revision}`)
  const to = /^.*\n(\d+)\n/.exec(JSON.parse(await readFile(proof, 'utf8')).checkpoint)?.[1]
  const between = await keep('between.json', `/v1/proofs/consistency?from=${size}&to=${to}`)
  const answer = await verified('--proof', proof, '--proof', between, '--witness', kept)
  t.is(answer.code, 0, answer.said)
  t.like(await verified('--proof', proof, '--witness', kept), { code: 1 })

  const { items } = await answered<{ items: Checkpoint[] }>('/v1/checkpoints?limit=200')
  t.deepEqual(
    items.map(({ number }) => number),
    items.map((_, index) => items.length - 1 - index),
  )
  for (const [index, later] of items.entries()) {
    const earlier = items[index + 1]
    if (earlier) t.true(later.size > earlier.size)
    t.is(later.previous, earlier ? sha256Of(readNote(earlier.note).text) : null)
  }
})

test.serial('a checkpoint is checked by any tool that knows Ed25519', async (t) => {
  const { note } = await answered<Checkpoint>('/v1/checkpoints/latest')
  const { publicKey } = readVkey((await readFile(inFolder('audit/vkey'), 'utf8')).trim())
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' })
  const [text, signature] = note.split('\n\n') as [string, string]
  const bytes = Buffer.from(signature.trim().split(' ')[2]!, 'base64').subarray(4)
  t.true(verify(null, Buffer.from(`${text}\n`), key, bytes))
})

const sha256Of = (text: string) => createHash('sha256').update(text).digest('base64')
