import type { ClientKey } from '../authorisation/client-key.ts'
import { DomainError } from '../domain-error.ts'
import { isAddress } from '../ethereum/address.ts'
import { pointerToken } from '../json/json-pointer.ts'
import { MAX_PARTIES } from '../threshold/scheme.ts'
import {
  type FeeRule,
  type Limit,
  type Listed,
  MAX_DELAY_SECONDS,
  MAX_WINDOW_SECONDS,
  type Tier,
  type TransferRules,
  type TypedDataRule,
  type Value,
} from './rules.ts'
import { isUsd } from './usd.ts'

/** Bounds that keep a policy small enough to be sealed with a share, and fast enough to be judged by. */
export const MAX_LISTED = 1_000
export const MAX_RULES = 50
export const MAX_TIER_APPROVERS = 50
const MAX_CHARACTERS = 96 * 1024
const MAX_TIER_APPROVALS = 20

const ID = /^[a-z0-9][a-z0-9-]{0,63}$/
const CHAIN = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/
const ASSET = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}\/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}$/
const DESTINATION = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}:[-.%a-zA-Z0-9]{1,128}$/
/** As those of structs that can be signed (EIP-712). */
const PRIMARY_TYPE = /^[A-Za-z_]\w{0,63}$/
const WHOLE = /^(0|[1-9]\d{0,77})$/
/** Names that findings use for what has no id of its own. */
const RESERVED = ['approvals', 'chains', 'assets', 'destinations']

/** How to go on with the value of a field, which is at this pointer. */
type Read<Result> = (value: unknown, pointer: string) => Result

/**
 * Rules for transfers in their JSON form, exactly: what is not known is refused, so that no rule is believed to hold that does not.
 * @param readKey reads the key of an approver
 * @throws DomainError `transfer_rules_invalid` naming the field below `pointer`; MalformedJson by `readKey`
 */
export function readTransferRules(value: unknown, pointer: string, readKey: (value: unknown) => ClientKey): TransferRules {
  const rules = object<TransferRules>(value, pointer, {
    chains: listed(CHAIN, 'a CAIP-2 chain'),
    assets: listed(ASSET, 'a CAIP-19 asset'),
    destinations: listed(DESTINATION, 'a CAIP-10 address'),
    fees: rulesOf(readFeeRule),
    limits: rulesOf(readLimit),
    tiers: rulesOf(readTier),
    approvers: listOf(readKey, MAX_TIER_APPROVERS),
    typedData: (typedData, at) => (typedData === 'any' ? typedData : listOf(readTypedDataRule, MAX_LISTED)(typedData, at)),
  })
  const { approvers: _, ...written } = rules
  if (JSON.stringify(written).length > MAX_CHARACTERS) throw invalid(`the rules have more than ${MAX_CHARACTERS} characters`, pointer)
  const ids = [...(rules.fees ?? []), ...(rules.limits ?? []), ...(rules.tiers ?? [])].map(({ id }) => id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index || RESERVED.includes(id))
  if (twice !== undefined) throw invalid(`"${twice}" would name two rules`, pointer)
  return rules
}

/** The rules with their fields in the one order in which they are sealed. */
export function orderedRules(rules: TransferRules): TransferRules {
  const { chains, assets, destinations, fees, limits, tiers, approvers, typedData } = rules
  const orderedList = ({ allow, deny }: Listed): Listed => ({ ...(allow && { allow }), ...(deny && { deny }) })
  const orderedValue = (value: Value): Value => ('usd' in value ? { usd: value.usd } : { asset: value.asset, amount: value.amount })
  return {
    ...(chains && { chains: orderedList(chains) }),
    ...(assets && { assets: orderedList(assets) }),
    ...(destinations && { destinations: orderedList(destinations) }),
    ...(fees && { fees: fees.map(({ id, chain, atMost }) => ({ id, chain, atMost })) }),
    ...(limits && {
      limits: limits.map(({ id, atMost, windowSeconds }) => ({
        id,
        atMost: orderedValue(atMost),
        ...(windowSeconds !== undefined && { windowSeconds }),
      })),
    }),
    ...(tiers && {
      tiers: tiers.map(({ id, above, signers, approvals, delaySeconds }) => ({
        id,
        above: orderedValue(above),
        ...(signers !== undefined && { signers }),
        ...(approvals !== undefined && { approvals }),
        ...(delaySeconds !== undefined && { delaySeconds }),
      })),
    }),
    ...(approvers && { approvers }),
    ...(typedData && {
      typedData: typedData === 'any' ? typedData : typedData.map(({ contract, primaryType }) => ({ contract, primaryType })),
    }),
  }
}

const readFeeRule: Read<FeeRule> = (value, pointer) =>
  object<FeeRule>(value, pointer, { id: text(ID, 'an id'), chain: text(CHAIN, 'a CAIP-2 chain'), atMost: text(WHOLE, 'base units') }, [
    'id',
    'chain',
    'atMost',
  ])

const readTypedDataRule: Read<TypedDataRule> = (value, pointer) =>
  object<TypedDataRule>(
    value,
    pointer,
    {
      contract: text(isContract, 'a CAIP-10 address of an EVM chain, in lower case or with its checksum'),
      primaryType: text(PRIMARY_TYPE, 'the name of a struct'),
    },
    ['contract', 'primaryType'],
  )

function isContract(account: string): boolean {
  const [, address] = /^eip155:[1-9]\d{0,31}:(0x.*)$/.exec(account) ?? []
  return address !== undefined && isAddress(address)
}

const readLimit: Read<Limit> = (value, pointer) =>
  object<Limit>(value, pointer, { id: text(ID, 'an id'), atMost: readValue, windowSeconds: whole(1, MAX_WINDOW_SECONDS) }, ['id', 'atMost'])

const readTier: Read<Tier> = (value, pointer) => {
  const tier = object<Tier>(
    value,
    pointer,
    {
      id: text(ID, 'an id'),
      above: readValue,
      signers: whole(1, MAX_PARTIES),
      approvals: whole(1, MAX_TIER_APPROVALS),
      delaySeconds: whole(1, MAX_DELAY_SECONDS),
    },
    ['id', 'above'],
  )
  if (tier.signers === undefined && tier.approvals === undefined && tier.delaySeconds === undefined)
    throw invalid('a tier has to ask for signers, approvals or a delay', pointer)
  return tier
}

const readValue: Read<Value> = (value, pointer) =>
  isObject(value) && 'usd' in value
    ? object<{ usd: string }>(value, pointer, { usd: text(isUsd, 'US dollars with two decimals or none') }, ['usd'])
    : object<{ asset: string; amount: string }>(
        value,
        pointer,
        { asset: text(ASSET, 'a CAIP-19 asset'), amount: text(WHOLE, 'base units') },
        ['asset', 'amount'],
      )

const listed =
  (pattern: RegExp, what: string): Read<Listed> =>
  (value, pointer) => {
    const list = object<Listed>(value, pointer, {
      allow: listOf(text(pattern, what), MAX_LISTED),
      deny: listOf(text(pattern, what), MAX_LISTED),
    })
    if (!list.allow && !list.deny) throw invalid('allow or deny must be there', pointer)
    return list
  }

const rulesOf = <Rule>(read: Read<Rule>): Read<readonly Rule[]> => listOf(read, MAX_RULES)

const listOf =
  <Item>(read: Read<Item>, most: number): Read<readonly Item[]> =>
  (value, pointer) => {
    if (!Array.isArray(value) || value.length > most) throw invalid(`must be a list of at most ${most}`, pointer)
    return value.map((item, index) => read(item, `${pointer}/${index}`))
  }

const text =
  (is: RegExp | ((text: string) => boolean), what: string): Read<string> =>
  (value, pointer) => {
    if (typeof value === 'string' && (is instanceof RegExp ? is.test(value) : is(value))) return value
    throw invalid(`must be ${what}`, pointer)
  }

const whole =
  (least: number, most: number): Read<number> =>
  (value, pointer) => {
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
    throw invalid(`must be a whole number from ${least} to ${most}`, pointer)
  }

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object with these fields, of which those not required may be left out, and no others. */
function object<Result extends object>(
  value: unknown,
  pointer: string,
  readers: { readonly [Field in keyof Result]-?: Read<NonNullable<Result[Field]>> },
  required: readonly string[] = [],
): Result {
  if (!isObject(value)) throw invalid('must be an object', pointer)
  const missing = required.find((field) => !Object.hasOwn(value, field))
  if (missing !== undefined) throw invalid('is required', pointer + pointerToken(missing))
  const read: { [field: string]: unknown } = {}
  for (const [field, found] of Object.entries(value)) {
    if (!Object.hasOwn(readers, field)) throw invalid('is not known here', pointer + pointerToken(field))
    read[field] = (readers as { [field: string]: Read<unknown> })[field]!(found, pointer + pointerToken(field))
  }
  return read as Result
}

const invalid = (message: string, pointer: string) => new DomainError('transfer_rules_invalid', message, pointer)
