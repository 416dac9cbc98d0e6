/** The client side of the NATS protocol, read incrementally. Subjects are Latin-1 strings, so that any bytes come out as they went in. */

export type Violation = 'Unknown Protocol Operation' | 'Maximum Payload Violation' | 'maximum control line exceeded'

/** `headerBytes` says how much of the payload is headers; undefined means that the message was published without. */
export type Publication = { subject: string; reply: string | undefined; headerBytes: number | undefined; payload: Buffer }

export type Operation =
  | { kind: 'connect'; options: string }
  | ({ kind: 'publish' } & Publication)
  | { kind: 'subscribe'; subject: string; queue: string | undefined; sid: string }
  | { kind: 'unsubscribe'; sid: string; max: number | undefined }
  | { kind: 'ping' }
  | { kind: 'pong' }
  | { kind: 'violation'; reason: Violation }

export type Limits = { maxControlLine: number; maxPayload: number }

/** Room for the operation's name and the carriage return, which the limit does not count. */
const BESIDE_ARGUMENTS = 'CONNECT \r'.length

const LF = 0x0a
const CR = 0x0d

type Announced = { kind: 'announced'; publication: Omit<Publication, 'payload'>; size: number }

/**
 * Makes a parser that takes chunks as they arrive and returns the operations completed by each.
 * After a violation it ignores everything. It keeps at most one control line and one payload.
 * A payload may be a view of the chunk: use it or copy it before keeping it.
 */
export function createParser({ maxControlLine, maxPayload }: Limits): (chunk: Buffer) => Operation[] {
  const maxLine = maxControlLine + BESIDE_ARGUMENTS
  let line = ''
  let announced: Announced | undefined
  let body: Buffer | undefined
  let filled = 0
  let violated = false

  /** Returns the payload with its line end when it is complete, and how many bytes of the chunk it took. */
  function takeBody(chunk: Buffer, offset: number, size: number): { complete: Buffer | undefined; taken: number } {
    const available = chunk.length - offset
    if (!body && available >= size) return { complete: chunk.subarray(offset, offset + size), taken: size }
    body ??= Buffer.allocUnsafeSlow(size)
    const taken = chunk.copy(body, filled, offset)
    filled += taken
    if (filled < size) return { complete: undefined, taken }
    const complete = body
    body = undefined
    filled = 0
    return { complete, taken }
  }

  return (chunk) => {
    const operations: Operation[] = []
    const push = (operation: Operation) => {
      violated ||= operation.kind === 'violation'
      operations.push(operation)
    }
    let offset = 0
    while (offset < chunk.length && !violated) {
      if (announced) {
        const { size } = announced
        const { complete, taken } = takeBody(chunk, offset, size + 2)
        offset += taken
        if (!complete) break
        if (complete[size] !== CR || complete[size + 1] !== LF) push(unknown)
        else push({ ...announced.publication, kind: 'publish', payload: complete.subarray(0, size) })
        announced = undefined
        continue
      }
      const end = chunk.indexOf(LF, offset)
      const stop = end === -1 ? chunk.length : end
      if (line.length + stop - offset > maxLine) {
        push(violation('maximum control line exceeded'))
        break
      }
      line += chunk.toString('latin1', offset, stop)
      offset = stop + 1
      if (end === -1) break
      const parsed = parseLine(line, maxPayload)
      line = ''
      if (parsed.kind === 'announced') announced = parsed
      else push(parsed)
    }
    return operations
  }
}

const violation = (reason: Violation): Operation => ({ kind: 'violation', reason })

const unknown = violation('Unknown Protocol Operation')

function parseLine(line: string, maxPayload: number): Operation | Announced {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  const [, name, rest] = /^([A-Za-z]+)(?:[ \t]+(.*))?$/s.exec(text) ?? []
  const words = rest?.split(/[ \t]+/).filter((word) => word !== '') ?? []
  switch (name?.toUpperCase()) {
    case 'PUB':
      return words.length === 2 || words.length === 3 ? announce(words, undefined, maxPayload) : unknown
    case 'HPUB': {
      const headerBytes = words.length === 3 || words.length === 4 ? parseSize(words.at(-2)!) : undefined
      return headerBytes === undefined ? unknown : announce(words.toSpliced(-2, 1), headerBytes, maxPayload)
    }
    case 'SUB':
      return words.length === 2 || words.length === 3
        ? { kind: 'subscribe', subject: words[0]!, queue: words.length === 3 ? words[1] : undefined, sid: words.at(-1)! }
        : unknown
    case 'UNSUB':
      return words.length === 1 || words.length === 2
        ? { kind: 'unsubscribe', sid: words[0]!, max: words[1] === undefined ? undefined : parseSize(words[1]) }
        : unknown
    case 'PING':
      return { kind: 'ping' }
    case 'PONG':
      return { kind: 'pong' }
    case 'CONNECT':
      return { kind: 'connect', options: rest ?? '' }
    default:
      return unknown
  }
}

/** `words` are the subject, perhaps the reply subject, and the total size. */
function announce(words: readonly string[], headerBytes: number | undefined, maxPayload: number): Operation | Announced {
  const size = parseSize(words.at(-1)!)
  if (size === undefined || (headerBytes ?? 0) > size) return unknown
  if (size > maxPayload) return violation('Maximum Payload Violation')
  return { kind: 'announced', publication: { subject: words[0]!, reply: words.length === 3 ? words[1] : undefined, headerBytes }, size }
}

/** Undefined unless it is a plain decimal number; nine digits are more than any payload here. */
const parseSize = (word: string): number | undefined => (/^\d{1,9}$/.test(word) ? Number(word) : undefined)
