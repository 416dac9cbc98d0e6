/** An auditor's view of a running system. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestSystem, until } from './system.ts'

export type HistoryItem = { type: string; stream: string; revision: number }
export type Checkpoint = { number: number; size: number; root: string; previous: string | null; note: string }

export type Auditor = {
  inFolder(name: string): string
  /** What the API answers once it does. */
  answered<T>(path: string): Promise<T>
  /** The answer as it is, in a file. */
  keep(name: string, path: string): Promise<string>
  /** Has a new wallet sign something. */
  sign(): Promise<{ walletId: string; signature: string }>
  historyOf(walletId: string): Promise<HistoryItem[]>
  /** What `npm run verify` says, and its exit code. */
  verified(...args: string[]): Promise<{ code: number; said: string }>
}

export function auditorOf(system: TestSystem): Auditor {
  const inFolder = (name: string) => join(system.dataDir, name)
  const answered: Auditor['answered'] = <T>(path: string) => until(() => system.client.get<T>(path).catch(() => undefined), path, 30_000)
  return {
    inFolder,
    answered,

    async keep(name, path) {
      const file = inFolder(name)
      await writeFile(file, JSON.stringify(await answered(path)))
      return file
    },

    async sign() {
      const walletId = await system.client.createWallet('audited')
      const { keyId } = await system.client.generateKey(walletId, 'frost-ed25519', 2, 3)
      const { sessionId } = await system.client.requestSignature(keyId, { kind: 'message', encoding: 'utf8', data: 'x' })
      return { walletId, signature: (await system.client.session(sessionId)).signature }
    },

    historyOf: async (walletId) => (await answered<{ items: HistoryItem[] }>(`/v1/wallets/${walletId}/history?limit=200`)).items,

    async verified(...args) {
      try {
        return { code: 0, said: await system.run('verify', '--key', inFolder('audit/vkey'), ...args) }
      } catch (error) {
        const { code, stderr } = error as { code: number; stderr: string }
        return { code, said: stderr }
      }
    },
  }
}
