/** Request bodies: read within a bound, parsed strictly. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import rawBody from 'raw-body'
import { pointerToken } from '../domain/json/json-pointer.ts'
import { parseStrictJson } from '../domain/json/strict-json.ts'
import { type Fault, Problem } from './problem.ts'

export const MAX_BODY_BYTES = 256 * 1024
/** How much of a refused body is still read and thrown away, so that the client gets to read the answer and keeps its connection. */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024
const MAX_DEPTH = 32

const NO_BODY = Buffer.alloc(0)

/**
 * The body's bytes.
 * @throws Problem `media_type_unsupported`, `body_too_large`, `body_incomplete`
 */
export async function readBody(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
  const { 'content-length': length, 'transfer-encoding': chunked } = request.headers
  if (!chunked && (length === undefined || Number(length) === 0)) return NO_BODY
  if (!isJson(request.headers['content-type'])) throw new Problem('media_type_unsupported', 'send the body as application/json in UTF-8')
  if ((request.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity')
    throw new Problem('media_type_unsupported', 'the body may not be compressed')
  if (Number(length) > MAX_BODY_BYTES) throw tooLarge()
  meetExpectation(request, response)
  try {
    return await rawBody(request, { limit: MAX_BODY_BYTES, length: length ?? null })
  } catch (error) {
    if ((error as { type?: string }).type === 'entity.too.large') throw tooLarge()
    throw new Problem('body_incomplete', 'the body ended early', { cause: error })
  }
}

/**
 * Reads what is left of a body nobody wants, up to a bound. Resolves with whether the connection can be used again: not when the client still
 * waits for `100 Continue`, has gone away, or sends too much.
 */
export async function discardBody(request: IncomingMessage): Promise<boolean> {
  if (request.complete && request.readableLength === 0) return true
  if (request.destroyed || request.headers.expect !== undefined) return false
  if (Number(request.headers['content-length'] ?? 0) > MAX_DISCARDED_BYTES) return false
  return new Promise((resolve) => {
    let discarded = 0
    const settle = (reusable: boolean) => {
      request.off('data', count).off('end', ended).off('close', closed)
      resolve(reusable)
    }
    const ended = () => settle(true)
    const closed = () => settle(request.complete)
    const count = (chunk: Buffer) => {
      discarded += chunk.length
      if (discarded > MAX_DISCARDED_BYTES) settle(false)
    }
    request.on('data', count).on('end', ended).on('close', closed).resume()
  })
}

/**
 * The JSON object in these bytes, read as the parties will read it.
 * @throws Problem `malformed_json`; `validation_failed` for what no request may hold
 */
export function parseJsonObject(bytes: Buffer): object {
  const value = parseJson(bytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Problem('malformed_json', 'the body must be a JSON object')
  const fault = findFault(value)
  if (fault) throw new Problem('validation_failed', `${fault.pointer} ${fault.detail}`, { errors: [fault] })
  return value
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw new Problem('malformed_json', 'the body is empty')
  try {
    return parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (error) {
    throw new Problem('malformed_json', 'the body is not JSON in UTF-8, holds a name twice, or a whole number that is not written as one', {
      cause: error,
    })
  }
}

/** Walks without recursion, as the depth is the client's choice. */
function findFault(body: object): Fault | undefined {
  const open: { value: unknown; pointer: string; depth: number }[] = [{ value: body, pointer: '', depth: 0 }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, pointer, depth } = next
    if (value === null) return { pointer, code: 'wrong_type', detail: 'may not be null; leave it out instead' }
    if (typeof value === 'string' && !isWellFormed(value)) return { pointer, code: 'invalid_value', detail: 'holds half a surrogate pair' }
    if (typeof value !== 'object') continue
    if (depth === MAX_DEPTH) return { pointer, code: 'invalid_value', detail: `is nested deeper than ${MAX_DEPTH} levels` }
    for (const [name, child] of Object.entries(value)) {
      const at = pointer + pointerToken(name)
      // class-transformer drops these two without a word
      if (name === '__proto__' || name === 'constructor') return { pointer: at, code: 'unknown_field', detail: 'is not known here' }
      open.push({ value: child, pointer: at, depth: depth + 1 })
    }
  }
  return undefined
}

/** A lone surrogate has no UTF-8 form: it would be signed and stored as something else than what was sent. */
const isWellFormed = (text: string) => !/\p{Surrogate}/u.test(text)

function isJson(contentType: string | undefined): boolean {
  return /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(contentType?.trim() ?? '')
}

/** Tells a client that waits for `100 Continue` to go on; only then is its body on the way. */
function meetExpectation(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect === undefined) return
  response.writeContinue()
  delete request.headers.expect
}

function tooLarge(): Problem {
  return new Problem('body_too_large', `the body may have at most ${MAX_BODY_BYTES} bytes`)
}
