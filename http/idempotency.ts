/** Identity of commands: what makes two requests the same one. */
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { v5 as uuidv5 } from 'uuid'
import { Problem } from './problem.ts'
import type { Principal } from './route.ts'

/** Namespace of the command ids (RFC 9562, version 5). Never to change: an id must come out the same after any number of restarts. */
const COMMAND_NAMESPACE = '0d0d4b9e-6c1c-4f0e-9c9a-6f2f2a4f7c35'

/** Id of a command: the same for the same caller, route, path and idempotency key; random when there is no key. */
export function commandIdOf({ tenant, sub }: Principal, method: string, path: string, key: string | null): string {
  return key === null ? randomUUID() : uuidv5(lengthPrefixed([tenant, sub, method, path, key]), COMMAND_NAMESPACE)
}

/** SHA-256 (hex) over method, path and body, each preceded by its length; HMAC-SHA-256 under a key. */
export function requestDigestOf(method: string, path: string, body: Uint8Array, key?: Uint8Array): string {
  return (key ? createHmac('sha256', key) : createHash('sha256')).update(lengthPrefixed([method, path, body])).digest('hex')
}

export type InFlightGuard = <T>(commandId: string, work: () => Promise<T>) => Promise<T>

/** Lets one request per command id through at a time. The commands in flight are as many as there are requests, so nothing here can grow beyond them. */
export function inFlightGuard(): InFlightGuard {
  const inFlight = new Set<string>()
  return async (commandId, work) => {
    if (inFlight.has(commandId))
      throw new Problem('idempotency_key_in_flight', 'the first request with this idempotency key is still being handled')
    inFlight.add(commandId)
    try {
      return await work()
    } finally {
      inFlight.delete(commandId)
    }
  }
}

function lengthPrefixed(parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}
