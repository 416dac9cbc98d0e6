import type { JSONSchema } from 'class-validator-jsonschema'
import { MAX_LISTED, MAX_RULES, MAX_TIER_APPROVERS } from '../domain/policy/read-rules.ts'
import { MAX_DELAY_SECONDS, MAX_WINDOW_SECONDS } from '../domain/policy/rules.ts'
import { MAX_PARTIES } from '../domain/threshold/scheme.ts'

type Schema = Parameters<typeof JSONSchema>[0]

const object = (required: string[], properties: { [name: string]: object }): object => ({
  type: 'object',
  required,
  additionalProperties: false,
  properties,
})
const whole = (minimum: number, maximum: number) => ({ type: 'integer', minimum, maximum })
const listOf = (items: object, maxItems: number) => ({ type: 'array', maxItems, items })

const text = { type: 'string' }
const baseUnits = { type: 'string', pattern: '^(0|[1-9]\\d{0,77})$' }
const id = { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,63}$' }
const value = {
  description: 'US dollars, with two decimals or none, or base units of one asset.',
  oneOf: [
    object(['usd'], { usd: { type: 'string', pattern: '^(0|[1-9]\\d{0,14})(\\.\\d{2})?$' } }),
    object(['asset', 'amount'], { asset: text, amount: baseUnits }),
  ],
}
const listed = object([], { allow: listOf(text, MAX_LISTED), deny: listOf(text, MAX_LISTED) })

/** What the API says of rules for transfers; `readTransferRules` reads them. */
export const TRANSFER_RULES_SCHEMA = {
  description: 'What is allowed of transfers; everything when left out. `docs/policy.md` explains each rule.',
  additionalProperties: false,
  properties: {
    chains: { ...listed, description: 'CAIP-2.' },
    assets: { ...listed, description: 'CAIP-19.' },
    destinations: { ...listed, description: 'CAIP-10.' },
    fees: listOf(object(['id', 'chain', 'atMost'], { id, chain: text, atMost: baseUnits }), MAX_RULES),
    limits: listOf(object(['id', 'atMost'], { id, atMost: value, windowSeconds: whole(1, MAX_WINDOW_SECONDS) }), MAX_RULES),
    tiers: listOf(
      object(['id', 'above'], {
        id,
        above: value,
        signers: whole(1, MAX_PARTIES),
        approvals: whole(1, 20),
        delaySeconds: whole(1, MAX_DELAY_SECONDS),
      }),
      MAX_RULES,
    ),
    approvers: { ...listOf({ type: 'object' }, MAX_TIER_APPROVERS), description: 'JWKs, as clientKeys are.' },
    typedData: {
      description: 'Typed data (EIP-712) that are signed: any, or those for these contracts (CAIP-10). None when left out.',
      oneOf: [{ const: 'any' }, listOf(object(['contract', 'primaryType'], { contract: text, primaryType: text }), MAX_LISTED)],
    },
  },
} as Schema
