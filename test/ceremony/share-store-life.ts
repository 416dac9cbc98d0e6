/**
 * The life of a party's shares of one key, in a process that is killed at the nth change it makes to its disk: `share-store-life.js <dir> <n>`.
 * Says what has been done, a line each.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { KEY, RECORD, SHARES, vaultOf } from './share-store-fixture.ts'

const [dir, killAt] = process.argv.slice(2) as [string, string]
let changes = 0

/** Dies instead of making the change whose turn it is. */
function dieInTime(): void {
  if (++changes === Number(killAt)) process.kill(process.pid, 'SIGKILL')
}

const { open, ...promises } = fs.promises
for (const name of ['rename', 'unlink', 'mkdir'] as const) {
  const original = promises[name] as (...args: unknown[]) => Promise<unknown>
  Object.assign(fs.promises, {
    [name]: (...args: unknown[]) => {
      dieInTime()
      return original(...args)
    },
  })
}
Object.assign(fs.promises, {
  open: async (...args: Parameters<typeof open>) => {
    if (args[1] !== 'r') dieInTime()
    const handle = await open(...args)
    for (const name of ['writeFile', 'sync'] as const) {
      const original = handle[name].bind(handle) as (...args: unknown[]) => Promise<unknown>
      Object.assign(handle, {
        [name]: (...given: unknown[]) => {
          dieInTime()
          return original(...given)
        },
      })
    }
    return handle
  },
})
syncBuiltinESMExports()

const { openShareStore } = await import('../../parties/share-store.ts')
const store = await openShareStore({ dir, partyId: 'party-1', vault: vaultOf(dir) })
const done = (what: string) => fs.writeSync(1, `${what}\n`)

await store.keep(RECORD, SHARES[1].slice())
done('generated')
await store.keep({ ...RECORD, epoch: 2, attempt: 2 }, SHARES[2].slice(), { beside: [] })
await store.discard({ ...KEY, epoch: 2, attempt: 2 })
await store.keep({ ...RECORD, epoch: 2 }, SHARES[2].slice(), { beside: [] })
done('refreshed')
await store.confirm({ ...KEY, epoch: 2 })
done('confirmed')
await store.supersede(KEY.keyId, 2)
done('completed')
await store.keep({ ...RECORD, epoch: 2 }, SHARES[2].slice(), 'recovered')
done('recovered')
await store.revoke(KEY.keyId)
done('revoked')
