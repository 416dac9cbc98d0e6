import { readFile } from 'node:fs/promises'
import { MalformedJson, parseStrictJson } from '../../domain/json/strict-json.ts'
import { InvalidSetting } from '../process/settings.ts'
import { type RpcSettings, readRpcSettings } from './rpc/settings.ts'
import { fieldsOf, wholeNumber } from './setting-fields.ts'

/** How to reach a chain, and when what it says is believed. */
export type ChainSettings = {
  /** URLs of its JSON-RPC; without any the chain has addresses, and nothing is asked of it. */
  endpoints: readonly string[]
  /** Blocks, with its own, until a transaction counts, and until it is taken to be final; those usual for the chain unless they are said. */
  confirmations?: number
  finality?: number
  /** How often it is worth asking whether something has changed. */
  pollMs?: number
  rpc: RpcSettings
  /** What only chains of its kind have; its family reads it. */
  extra?: unknown
}

const MAX_CHAINS = 1_000
const MAX_ENDPOINTS = 16
const MAX_BLOCKS = 100_000
const [MIN_POLL_MS, MAX_POLL_MS] = [10, 3_600_000]

/**
 * What the file says of each chain, by CAIP-2 id. URLs may hold keys of an RPC provider: no message repeats one.
 * @throws InvalidSetting
 */
export async function readChainsFile(file: string): Promise<ReadonlyMap<string, ChainSettings>> {
  let chains: unknown
  try {
    chains = parseStrictJson(await readFile(file, 'utf8'))
  } catch (error) {
    const reason = error instanceof MalformedJson ? error.message : (error as NodeJS.ErrnoException).code
    throw new InvalidSetting(`QUORATE_CHAINS: ${file} cannot be read: ${reason}`)
  }
  if (typeof chains !== 'object' || chains === null || Array.isArray(chains))
    throw new InvalidSetting('QUORATE_CHAINS must be an object with CAIP-2 ids for its keys')
  const entries = Object.entries(chains)
  if (entries.length === 0 || entries.length > MAX_CHAINS) throw new InvalidSetting(`QUORATE_CHAINS must name 1 to ${MAX_CHAINS} chains`)
  return new Map(entries.map(([id, settings]) => [id, readSettings(`QUORATE_CHAINS: ${id}`, settings)]))
}

function readSettings(name: string, value: unknown): ChainSettings {
  const {
    endpoints = [],
    confirmations,
    finality,
    pollMs,
    rpc = {},
    extra,
  } = fieldsOf(name, value, ['endpoints', 'confirmations', 'finality', 'pollMs', 'rpc', 'extra'])
  if (!Array.isArray(endpoints) || endpoints.length > MAX_ENDPOINTS)
    throw new InvalidSetting(`${name}: endpoints must be a list of at most ${MAX_ENDPOINTS} URLs`)
  const wrong = endpoints.findIndex((endpoint) => !isHttpUrl(endpoint))
  if (wrong >= 0) throw new InvalidSetting(`${name}: endpoints[${wrong}] must be an http:// or https:// URL`)
  const settings: ChainSettings = {
    endpoints: endpoints as string[],
    ...ifThere(name, 'confirmations', confirmations, [0, MAX_BLOCKS]),
    ...ifThere(name, 'finality', finality, [0, MAX_BLOCKS]),
    ...ifThere(name, 'pollMs', pollMs, [MIN_POLL_MS, MAX_POLL_MS]),
    rpc: readRpcSettings(`${name}: rpc`, rpc),
    ...(extra === undefined ? {} : { extra }),
  }
  if ((settings.finality ?? MAX_BLOCKS) < (settings.confirmations ?? 0))
    throw new InvalidSetting(`${name}: finality must not be less than confirmations`)
  return settings
}

function ifThere(name: string, field: string, value: unknown, [least, most]: readonly [number, number]): { [field: string]: number } {
  return value === undefined ? {} : { [field]: wholeNumber(name, field, value, least, most) }
}

function isHttpUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value)
}
