import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Refusal } from '../../domain/ceremony/refusal.ts'
import { openShareStore, type ShareStore } from '../../parties/share-store.ts'
import { KEY, RECORD, SHARES, vaultOf } from './share-store-fixture.ts'

const LIFE = join(import.meta.dirname, 'share-store-life.js')

/** Runs the life until its nth change of the disk; what it had done by then, and whether it has been killed. */
function live(dir: string, killAt: number): Promise<{ done: string[]; killed: boolean }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [LIFE, dir, String(killAt)], { timeout: 30_000 }, (error, stdout, stderr) => {
      const killed = (error as { signal?: string } | null)?.signal === 'SIGKILL'
      if (error && !killed) reject(new Error(stderr))
      else resolve({ done: stdout.split('\n').filter(Boolean), killed })
    })
  })
}

/** What the store gives for an epoch: its share, or the code with which it refuses. */
async function look(store: ShareStore, epoch: 1 | 2): Promise<Uint8Array | string> {
  try {
    return await store.use(await store.find({ ...KEY, epoch }), (share) => share.slice())
  } catch (error) {
    return (error as Refusal).code
  }
}

test('a party killed at any change of its disk finds whole shares when it is back, and never none that it has promised to keep', async (t) => {
  let steps = 0
  for (let killed = true; killed; steps++) {
    const dir = await mkdtemp(join(tmpdir(), 'quorate-killed-'))
    try {
      const life = await live(dir, steps + 1)
      killed = life.killed
      const has = (what: string) => life.done.includes(what)
      const at = `killed at change ${steps + 1}, after ${life.done.join(', ') || 'nothing'}`

      const store = await openShareStore({ dir, partyId: 'party-1', vault: vaultOf(dir) })
      const [old, fresh] = [await look(store, 1), await look(store, 2)]
      if (has('revoked')) {
        t.deepEqual([old, fresh], ['key_revoked', 'key_revoked'], at)
        continue
      }
      if (has('generated') && !has('confirmed')) t.deepEqual(old, SHARES[1], at)
      if (has('refreshed') && !has('completed')) t.deepEqual(fresh, SHARES[2], at)
      if (has('completed')) t.true(old === 'share_replaced' || old === 'key_revoked', `${at}: ${old}`)
      if (has('completed') && old !== 'key_revoked') t.deepEqual(fresh, SHARES[2], at)
      for (const [share, epoch] of [
        [old, 1],
        [fresh, 2],
      ] as const)
        if (typeof share !== 'string') t.deepEqual(share, SHARES[epoch], at)
        else t.true(['unknown_key', 'share_replaced', 'key_revoked'].includes(share), `${at}: ${share}`)
      const files = await readdir(join(dir, 'shares', KEY.keyId)).catch(() => [])
      t.false(
        files.some((file) => file.endsWith('.draft')),
        at,
      )

      // The coordinator asks again for what it has no answer to, and the party goes on from where it is.
      if (old === 'key_revoked') await store.revoke(KEY.keyId)
      else {
        if (typeof old === 'string' && typeof fresh === 'string') await store.keep(RECORD, SHARES[1].slice())
        await store.discardPending(KEY.keyId, 2)
        if (typeof (await look(store, 2)) === 'string') await store.keep({ ...RECORD, epoch: 2 }, SHARES[2].slice(), { beside: [] })
        await store.confirm({ ...KEY, epoch: 2 })
        await store.supersede(KEY.keyId, 2)
        t.deepEqual(await look(store, 2), SHARES[2], at)
        t.deepEqual(await readdir(join(dir, 'shares', KEY.keyId)), ['epoch-2-attempt-1.json'], at)
      }
      t.is(store.count, old === 'key_revoked' ? 0 : 1, at)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  }
  t.true(steps > 20)
})
