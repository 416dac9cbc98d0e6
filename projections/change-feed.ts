import type { Messages } from '../domain/ports/messages.ts'
import type { ChangeFeed } from './runner.ts'

/**
 * Announces changes on `quorate.projection.<name>.<key>`, and progress on `quorate.projection.<name>`: JSON with the position.
 * Nothing depends on a message arriving: whoever waits also looks at the checkpoint now and then.
 */
export function changeFeed(messages: Messages): ChangeFeed {
  const publish = (subject: string, position: bigint) => {
    messages.publish(subject, Buffer.from(JSON.stringify({ position: position.toString() })))
  }
  return {
    changed: (projection, key, position) => publish(`quorate.projection.${projection}.${key}`, position),
    reached: (projection, position) => publish(`quorate.projection.${projection}`, position),
  }
}
