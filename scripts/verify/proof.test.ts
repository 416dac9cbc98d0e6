import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import test, { type ExecutionContext } from 'ava'
import { newIdentity } from '../../adapters/identity/testing/coordinator.ts'
import { signCheckpoint } from '../../domain/audit/checkpoint.ts'
import { consistencyProof, growTree, type Hash, inclusionProof, leafHash } from '../../domain/audit/merkle-tree.ts'
import { hashesOf } from '../../domain/audit/proof.ts'
import { type NoteKey, readVkey, vkeyOf } from '../../domain/audit/signed-note.ts'
import { readKey } from './keys.ts'
import { verifyProofs } from './proof.ts'
import { keepCheckpoint, readWitness } from './witness.ts'

const leafOf = (n: number) => `{"id":"${n}","stream":"wallet-1","type":"Happened"}`
const LEAVES = Array.from({ length: 9 }, (_, n) => leafHash(utf8ToBytes(leafOf(n))))

const rootOf = (hashes: readonly Hash[]) => {
  const tree = growTree()
  for (const hash of hashes) tree.append(hash)
  return tree.root()
}

/** A log with its key, and its answers in files. */
async function logWithFiles(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-verify-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const identity = newIdentity('log.example/1')
  const key: NoteKey = { name: identity.id, kind: 'ed25519', publicKey: identity.publicKey }
  let files = 0
  const file = async (content: string | object) => {
    const path = join(folder, `${files++}`)
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const note = (size: number, leaves = LEAVES) =>
    signCheckpoint({ size, root: rootOf(leaves.slice(0, size)), previous: undefined, time: `2026-01-01T00:00:0${size}.000Z` }, identity)
  const node = (leaves: readonly Hash[]) => (level: number, index: number) =>
    rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
  return {
    folder,
    key,
    file,
    note,
    inclusion: async (index: number, size: number, leaves = LEAVES) =>
      file({
        kind: 'inclusion',
        leaf: leafOf(index),
        index,
        hashes: hashesOf(await inclusionProof(index, size, node(leaves))),
        checkpoint: await note(size, leaves),
      }),
    consistency: async (from: number, to: number, leaves = LEAVES) =>
      file({
        kind: 'consistency',
        from: await note(from, leaves),
        to: await note(to, leaves),
        hashes: hashesOf(await consistencyProof(from, to, node(leaves))),
      }),
  }
}

const REWRITTEN = LEAVES.with(2, leafHash(utf8ToBytes('another')))

test('proofs that lead to what was kept hold, in either direction of time', async (t) => {
  const { key, file, note, inclusion, consistency } = await logWithFiles(t)
  const kept = [await file(await note(5))]
  const check = (...proofs: string[]) => verifyProofs({ proofs, key, kept, witnesses: [] })
  t.is((await check(await inclusion(3, 5))).length, 2)
  t.is((await check(await inclusion(7, 9), await consistency(5, 9))).length, 3)
  t.is((await check(await inclusion(1, 3), await consistency(3, 5))).length, 3)
  const fromApi = [await file({ size: 5, note: await note(5) })]
  t.is((await verifyProofs({ proofs: [await inclusion(3, 5)], key, kept: fromApi, witnesses: [] })).length, 2)
})

test('a log that has told two stories is found by what was kept', async (t) => {
  const { key, file, note, inclusion, consistency } = await logWithFiles(t)
  const kept = [await file(await note(5))]
  const check = (...proofs: string[]) => verifyProofs({ proofs, key, kept, witnesses: [] })
  await t.notThrowsAsync(verifyProofs({ proofs: [await inclusion(3, 5, REWRITTEN)], key, kept: [], witnesses: [] }))
  const twoStories = { code: 'consistency_invalid', message: /two stories/ }
  await t.throwsAsync(check(await inclusion(3, 5, REWRITTEN)), twoStories)
  await t.throwsAsync(check(await inclusion(7, 9, REWRITTEN), await consistency(5, 9, REWRITTEN)), { code: 'consistency_invalid' })
  await t.throwsAsync(check(await inclusion(7, 9)), { code: 'consistency_invalid', message: /from=5&to=9/ })
})

test('a witness must have signed what was kept, when it is named', async (t) => {
  const { folder, key, file, note, inclusion } = await logWithFiles(t)
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
  const witness = await readWitness('witness.example/w1', await file(pem))
  const keep = join(folder, 'kept')
  const [, said] = await keepCheckpoint({ checkpoint: await file(await note(5)), keep, key, proofs: [], witness })
  const witnessKey = readVkey(said!.replace('signed by ', ''))
  const options = { proofs: [await inclusion(3, 5)], key, kept: [keep] }
  t.is((await verifyProofs({ ...options, witnesses: [witnessKey] })).length, 2)
  const other: NoteKey = { ...witnessKey, publicKey: newIdentity('x').publicKey }
  await t.throwsAsync(verifyProofs({ ...options, witnesses: [other] }), { code: 'signature_missing' })
})

test('a witness keeps the newest checkpoint of a log that only grows, and no other', async (t) => {
  const { folder, key, file, note, consistency } = await logWithFiles(t)
  const keep = join(folder, 'kept')
  const offer = async (size: number, proofs: string[], leaves = LEAVES) =>
    keepCheckpoint({ checkpoint: await file(await note(size, leaves)), keep, key, proofs, witness: undefined })
  await offer(3, [])
  await offer(9, [await consistency(3, 9)])
  t.is(await readFile(keep, 'utf8'), await note(9))
  await t.throwsAsync(offer(5, [await consistency(5, 9)]), { message: /old state/ })
  await t.throwsAsync(offer(9, [], REWRITTEN), { message: /two stories/ })
  t.is(await readFile(keep, 'utf8'), await note(9))
})

test('what the documentation says to do by hand comes to the same', async (t) => {
  const missing = ['openssl', 'jq', 'xxd'].filter((tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).error)
  if (missing.length > 0) {
    t.log(`there is no ${missing.join(', ')} here`)
    t.pass()
    return
  }
  const page = await readFile(join(import.meta.dirname, '../../../docs/proofs.md'), 'utf8')
  const commands = page.split('```sh\n').at(-1)!.split('```')[0]!
  const { folder, key, inclusion } = await logWithFiles(t)
  await writeFile(join(folder, 'vkey'), `${vkeyOf(key)}\n`)
  for (const index of [0, 5, 6, 7, 8]) {
    await rename(await inclusion(index, 9), join(folder, 'proof.json'))
    const { stdout } = spawnSync('sh', ['-ec', `${commands}\necho $sn`], { cwd: folder, encoding: 'utf8' })
    const [verified, computed, signed, sn] = stdout.split('\n')
    t.is(verified, 'Signature Verified Successfully')
    t.deepEqual([computed, sn], [signed, '0'])
  }
})

test('a key is given as it is, or in a file', async (t) => {
  const { key, file } = await logWithFiles(t)
  t.deepEqual(await readKey(vkeyOf(key)), await readKey(await file(`${vkeyOf(key)}\n`)))
  await t.throwsAsync(readKey('nothing'), { code: 'key_malformed' })
})
