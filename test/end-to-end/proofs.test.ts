import { createPublicKey, verify } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import test from 'ava'
import { newIdentity } from '../../adapters/identity/testing/coordinator.ts'
import { signCheckpoint } from '../../domain/audit/checkpoint.ts'
import { readVkey } from '../../domain/audit/signed-note.ts'
import { auditorOf, type Checkpoint } from './auditor.ts'
import { system } from './shared-system.ts'
import { signal, until } from './system.ts'

test.serial('every event of a signature is proved to be in the log, to whoever has the public key', async (t) => {
  const { answered, historyOf, inFolder, keep, sign, verified } = auditorOf(system)
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
  const { answered, historyOf, inFolder, sign, verified } = auditorOf(system)
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
  const { answered, historyOf, keep, sign, verified } = auditorOf(system)
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

test.serial('a checkpoint is checked by any tool that knows Ed25519', async (t) => {
  const { answered, inFolder } = auditorOf(system)
  const { note } = await answered<Checkpoint>('/v1/checkpoints/latest')
  const { publicKey } = readVkey((await readFile(inFolder('audit/vkey'), 'utf8')).trim())
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' })
  const [text, signature] = note.split('\n\n') as [string, string]
  const bytes = Buffer.from(signature.trim().split(' ')[2]!, 'base64').subarray(4)
  t.true(verify(null, Buffer.from(`${text}\n`), key, bytes))
})
