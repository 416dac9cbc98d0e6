import { Gauge, type Registry } from 'prom-client'
import { readCheckpointText } from '../../domain/audit/checkpoint.ts'
import { readNote } from '../../domain/audit/signed-note.ts'
import { newestCheckpoints, readHead } from '../../domain/audit/tree-documents.ts'
import type { Audited } from './audited.ts'

/** Registers how far the tree and its checkpoints are; nothing is told while MongoDB is away. */
export function observeTree(registry: Registry, { documents }: Pick<Audited, 'documents'>): void {
  const gauge = (name: string, help: string, value: () => Promise<number | undefined>) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.reset()
        const now = await value().catch(() => undefined)
        if (now !== undefined) this.set(now)
        else this.remove()
      },
    })
  gauge('quorate_audit_tree_size', 'Events in the Merkle tree of the log.', async () => (await readHead(documents))?.size)
  gauge(
    'quorate_audit_checkpoint_size',
    'Events that the newest checkpoint covers.',
    async () => (await newestCheckpoints(documents, 1))[0]?.size,
  )
  gauge('quorate_audit_checkpoint_time_seconds', 'When the newest checkpoint was signed, seconds since the epoch.', async () => {
    const [newest] = await newestCheckpoints(documents, 1)
    return newest && Date.parse(readCheckpointText(readNote(newest.note).text).time) / 1000
  })
}
