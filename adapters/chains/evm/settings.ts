import { InvalidSetting } from '../../process/settings.ts'
import { fieldsOf, wholeNumber } from '../setting-fields.ts'
import { readAddress } from './address.ts'
import type { Network } from './networks.ts'

/** What a chain's file may say of an EVM chain besides, in `extra`. */
export type EvmSettings = Pick<Network, 'minimumTip' | 'gasMargin' | 'maxGas'> & {
  /** Contracts whose transfers count as deposits. Others do not: anybody can make one that claims to have paid, as often as it likes. */
  readonly tokens: readonly string[]
}

const MAX_TOKENS = 1_000
/** A thousand gwei. */
const MAX_TIP = 10n ** 12n
const MAX_GAS = 100_000_000

/** @throws InvalidSetting naming the field, with `name` in front */
export function readEvmSettings(name: string, value: unknown, network: Network): EvmSettings {
  const { minimumTip, gasMargin, maxGas, tokens = [] } = fieldsOf(name, value, ['minimumTip', 'gasMargin', 'maxGas', 'tokens'])
  if (!Array.isArray(tokens) || tokens.length > MAX_TOKENS)
    throw new InvalidSetting(`${name}: tokens must be a list of at most ${MAX_TOKENS}`)
  return {
    minimumTip: minimumTip === undefined ? network.minimumTip : readTip(name, minimumTip),
    gasMargin: gasMargin === undefined ? network.gasMargin : BigInt(wholeNumber(name, 'gasMargin', gasMargin, 100, 1_000)),
    maxGas: maxGas === undefined ? network.maxGas : BigInt(wholeNumber(name, 'maxGas', maxGas, 21_000, MAX_GAS)),
    tokens: tokens.map((token, index) => readToken(`${name}: tokens[${index}]`, token)),
  }
}

function readTip(name: string, value: unknown): bigint {
  if (typeof value !== 'string' || !/^\d{1,13}$/.test(value) || BigInt(value) > MAX_TIP)
    throw new InvalidSetting(`${name}: minimumTip must be wei in decimal digits, at most ${MAX_TIP}`)
  return BigInt(value)
}

function readToken(name: string, value: unknown): string {
  try {
    return readAddress(String(value), '')
  } catch (error) {
    throw new InvalidSetting(`${name}: ${(error as Error).message}`)
  }
}
