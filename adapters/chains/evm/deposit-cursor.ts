import { MalformedJson, parseStrictJson } from '../../../domain/json/strict-json.ts'
import type { BlockReference } from '../../../domain/ports/chain-node.ts'

/** Blocks that have been looked through, newest first: all of the last few, and fewer and fewer before, by which a reorganisation is noticed. */
export type Seen = readonly BlockReference[]

const ALL_OF_THE_LAST = 16n

export function readCursor(cursor: string): Seen {
  const blocks = parseStrictJson(cursor)
  if (!Array.isArray(blocks) || !blocks.every(isBlock)) throw new MalformedJson('no cursor of deposits')
  return blocks.map(([height, hash]) => ({ height: BigInt(height), hash }))
}

const isBlock = (value: unknown): value is [height: string, hash: string] =>
  Array.isArray(value) && value.length === 2 && /^\d+$/.test(String(value[0])) && typeof value[1] === 'string'

/** At most some 60 blocks, however high the chain is. */
export const writeCursor = (seen: Seen): string => JSON.stringify(thinned(seen).map(({ height, hash }) => [String(height), hash]))

/** Beyond the last few the newest and the oldest for each power of two of the distance. */
function thinned(seen: Seen): Seen {
  const newest = seen[0]?.height ?? 0n
  const scale = ({ height }: BlockReference) => (newest - height).toString(2).length
  return seen.filter((block, index) => {
    if (newest - block.height < ALL_OF_THE_LAST) return true
    const [newer, older] = [seen[index - 1], seen[index + 1]]
    return !newer || !older || scale(newer) !== scale(block) || scale(older) !== scale(block)
  })
}
