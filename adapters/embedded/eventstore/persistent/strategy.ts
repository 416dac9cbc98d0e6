import { createHash } from 'node:crypto'
import { type Consumer, isFull, type Message } from './consumer.ts'
import type { StrategyName } from './settings.ts'

/** Who gets a message, if anybody can take it now. Whose turn it is comes first in `consumers`. */
export function chooseConsumer(strategy: StrategyName, consumers: readonly Consumer[], message: Message): Consumer | undefined {
  if (strategy === 'Pinned' || strategy === 'PinnedByCorrelation') {
    const owner = ownerOf(strategy === 'Pinned' ? streamOf(message) : correlationOf(message), consumers)
    return owner && !isFull(owner) ? owner : undefined
  }
  return consumers.find((consumer) => !isFull(consumer))
}

/** Rendezvous hashing: when a consumer comes or goes, only its own share of the keys moves. */
function ownerOf(key: string, consumers: readonly Consumer[]): Consumer | undefined {
  const weight = ({ id }: Consumer) => createHash('sha256').update(`${id}/${key}`).digest().readUIntBE(0, 6)
  return consumers.reduce<Consumer | undefined>((best, next) => (best && weight(best) >= weight(next) ? best : next), undefined)
}

const streamOf = ({ resolved: { event, link } }: Message): string => (event ?? link)!.stream

function correlationOf(message: Message): string {
  const { event, link } = message.resolved
  try {
    const { $correlationId } = JSON.parse(Buffer.from((event ?? link)!.metadata).toString())
    if (typeof $correlationId === 'string') return $correlationId
  } catch {
    // Without a correlation id it is the stream that keeps events together.
  }
  return streamOf(message)
}
