import { randomUUID } from 'node:crypto'
import type { Log } from '../log/log.ts'
import { lastEvent } from '../streams/stream-state.ts'
import { keepLast } from '../streams/write.ts'
import type { GroupConfig, GroupKey } from './settings.ts'

type StoredGroup = GroupKey & { config: GroupConfig }

export type GroupStore = {
  load(): StoredGroup[]
  /** Only within `stage`, as `remove`. */
  save(key: GroupKey, config: GroupConfig): void
  remove(key: GroupKey): void
}

/** The newest event of this stream holds the settings of all groups, as in EventStoreDB. */
const CONFIG_STREAM = '$persistentSubscriptionConfig'
const CONFIG_TYPE = 'PersistentConfig1'
/** As EventStoreDB has it; the rest is for a scavenge. */
const KEPT_CONFIGS = 2

/** The groups' settings, in the log itself. */
export function createGroupStore(log: Log): GroupStore {
  function load(): StoredGroup[] {
    const event = lastEvent(log, CONFIG_STREAM)
    return event ? (JSON.parse(Buffer.from(event.data).toString()) as { groups: StoredGroup[] }).groups : []
  }

  function store(groups: StoredGroup[]): void {
    const data = Buffer.from(JSON.stringify({ groups }))
    const now = Date.now()
    keepLast(log, CONFIG_STREAM, KEPT_CONFIGS, now)
    log.append(CONFIG_STREAM, [{ id: randomUUID(), type: CONFIG_TYPE, json: true, data, metadata: new Uint8Array() }], now)
  }

  const others = ({ source, name }: GroupKey) => load().filter((group) => group.source !== source || group.name !== name)

  return {
    load,
    save: (key, config) => store([...others(key), { ...key, config }]),
    remove: (key) => store(others(key)),
  }
}
