import { setTimeout as delay } from 'node:timers/promises'
import { ACCOUNT_STREAMS, type OpenedAccount } from '../../../domain/account/events.ts'
import type { EventLog, RecordedEvent } from '../../../domain/ports/event-log.ts'
import { type RepeatedWork, repeated } from '../marked-reading.ts'

export type KnownAccount = Pick<OpenedAccount, 'accountId' | 'walletId' | 'chain' | 'address'> & { opened: RecordedEvent }

/** Every account there is, by chain and address. */
export type AccountsOnChains = {
  /** All that have been opened until this is asked. @throws Unavailable while they have not been read */
  on(chain: string): Promise<ReadonlyMap<string, KnownAccount>>
  account(accountId: string): KnownAccount | undefined
}

const RETRY_AFTER_MS = 1_000
const LOOK_EVERY_MS = 20
const NONE: ReadonlyMap<string, KnownAccount> = new Map()

/** Reads of all accounts from the beginning, and goes on until the signal aborts. */
export function followAccounts(work: RepeatedWork & { log: EventLog }): AccountsOnChains & { readonly done: Promise<void> } {
  const { log, signal } = work
  const chains = new Map<string, Map<string, KnownAccount>>()
  const byId = new Map<string, KnownAccount>()
  let read: bigint | undefined
  let isWhole = false

  const note = (event: RecordedEvent) => {
    if (event.type !== 'AccountOpened') return
    const { accountId, walletId, chain, address } = event.data as OpenedAccount
    const account = { accountId, walletId, chain, address, opened: { ...event, data: { accountId } } }
    const others = chains.get(chain) ?? new Map<string, KnownAccount>()
    chains.set(chain, others.set(address, account))
    byId.set(accountId, account)
  }
  const done = repeated(work, RETRY_AFTER_MS, async () => {
    for await (const batch of log.subscribe({ after: read, prefixes: [ACCOUNT_STREAMS], signal }))
      for (const message of batch) {
        if (message.kind === 'event') note(message.event)
        if (message.kind === 'event' || message.kind === 'unreadable') read = message.event.position
        else if (message.kind === 'checkpoint') read = message.position
        else isWhole = true
      }
  })

  return {
    done,
    async on(chain) {
      // What is not known of an account that was opened already would be missed for ever: nobody looks at that block again.
      const last = await log.lastPosition([ACCOUNT_STREAMS])
      while (!isWhole || (last !== undefined && (read === undefined || read < last))) {
        await delay(LOOK_EVERY_MS, undefined, { signal })
      }
      return chains.get(chain) ?? NONE
    },
    account: (accountId) => byId.get(accountId),
  }
}
