import type { Messages } from '../domain/ports/messages.ts'
import type { Build } from '../domain/ports/projections.ts'

/** What those who read are told, of the build they read. Messages can be lost: the workers' reports say again how far a build is. */
export interface ChangeFeed {
  /** The document `key` of the projection is now as of `position`. */
  changed(projection: string, key: string, position: bigint): void
  /** Everything up to `position` is in these partitions of the build. */
  reached(build: Build, partitions: readonly number[], position: bigint): void
}

/** Ids that are one token of a subject; nobody can listen for another. */
const TOKEN = /^[^\s.*>\0]+$/

/** Announces changes on `quorate.projection.<name>.<key>` and progress on `quorate.projection.<name>`, as JSON. */
export function changeFeed(messages: Pick<Messages, 'publish'>): ChangeFeed {
  const publish = (subject: string, body: object) => messages.publish(subject, Buffer.from(JSON.stringify(body)))
  return {
    changed(projection, key, position) {
      if (TOKEN.test(key)) publish(`quorate.projection.${projection}.${key}`, { position: String(position) })
    },
    reached: ({ id, projection }, partitions, position) =>
      publish(`quorate.projection.${projection}`, { position: String(position), build: id, partitions }),
  }
}
