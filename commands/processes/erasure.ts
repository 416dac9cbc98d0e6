import type { DataKeys } from '../../domain/ports/data-keys.ts'
import type { Process } from './process.ts'

const CONCURRENCY = 4

/** Sees to it that an erasure which was written down comes to be, also when the process that wrote it is gone: keys that are destroyed already are no matter. */
export function erasureProcess({ dataKeys }: { dataKeys: Pick<DataKeys, 'eraseBefore'> }): Process {
  return {
    name: 'erasure',
    reactsTo: ['PersonalDataErased'],
    concurrency: CONCURRENCY,
    async react(event) {
      const { walletId, keysBefore } = event.data as { walletId: string; keysBefore: number }
      await dataKeys.eraseBefore(walletId, keysBefore)
    },
  }
}
