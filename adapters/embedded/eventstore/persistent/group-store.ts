import type { Database } from '../log/database.ts'
import type { GroupConfig, GroupKey } from './settings.ts'

export type GroupStore = {
  load(): (GroupKey & { config: GroupConfig })[]
  save(key: GroupKey, config: GroupConfig): void
  remove(key: GroupKey): void
}

/** The groups' settings, beside the log. Only `load` may be called outside a transaction. */
export function createGroupStore(database: Database.Database): GroupStore {
  const all = database.prepare('select source, name, config from persistent_groups order by source, name')
  const put = database.prepare('insert or replace into persistent_groups (source, name, config) values (?, ?, ?)')
  const drop = database.prepare('delete from persistent_groups where source = ? and name = ?')
  return {
    load: () =>
      (all.all([]) as (GroupKey & { config: string })[]).map((row) => ({ ...row, config: JSON.parse(row.config) as GroupConfig })),
    save(key, config) {
      put.run([key.source, key.name, JSON.stringify(config)])
    },
    remove(key) {
      drop.run([key.source, key.name])
    },
  }
}
