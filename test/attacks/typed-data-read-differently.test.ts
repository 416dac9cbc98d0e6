import { bytesToHex } from '@noble/hashes/utils.js'
import test from 'ava'
import fc from 'fast-check'
import { DomainError } from '../../domain/domain-error.ts'
import vectors from '../../domain/ethereum/vectors/typed-data.json' with { type: 'json' }
import { MalformedJson } from '../../domain/json/strict-json.ts'
import { messageToSign, readWantedSignature } from '../../domain/signing-session/payload.ts'
import { runs } from '../runs.ts'

/** Of a key that signs what Ethereum has people sign. */
const protocol = { scheme: 'dkls23-secp256k1', message: (bytes: Uint8Array) => bytes }

/** What a party signs for this body; undefined when it refuses. */
function signed(body: string): string | undefined {
  try {
    return bytesToHex(messageToSign(readWantedSignature(body).payload, { rawDigests: false }, protocol))
  } catch (error) {
    if (error instanceof DomainError || error instanceof MalformedJson) return undefined
    throw error
  }
}

const bodyOf = (typedData: unknown) => JSON.stringify({ payload: { kind: 'eip712', typedData } })

const order = {
  types: {
    Order: [
      { name: 'maker', type: 'address' },
      { name: 'legs', type: 'Leg[]' },
      { name: 'salt', type: 'uint256' },
    ],
    Leg: [
      { name: 'asset', type: 'string' },
      { name: 'amount', type: 'int128' },
      { name: 'proof', type: 'bytes' },
    ],
  },
  primaryType: 'Order',
  domain: { name: 'Exchange', version: '1', chainId: 1, verifyingContract: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed' },
  message: {
    maker: '0xde709f2102306220921060314715629080e2fb77',
    legs: [
      { asset: 'ether', amount: '-1000', proof: '0x00' },
      { asset: 'gold', amount: '20', proof: '0x' },
    ],
    salt: 1,
  },
}
const body = bodyOf(order)
const digest = signed(body)
const [Maker, Legs, Salt] = order.types.Order
const { chainId: _, ...anyChain } = order.domain
const { verifyingContract: __, ...anyContract } = order.domain
const domainOf = (...fields: [name: string, type: string][]) => fields.map(([name, type]) => ({ name, type }))

test('the order itself is signed', (t) => {
  t.truthy(digest)
})

/** Each of these a person reads as another order, or may. None may get the signature of the first. */
const READ_DIFFERENTLY: readonly (readonly [what: string, body: string])[] = [
  ['a field that no type knows', bodyOf({ ...order, message: { ...order.message, refund: 'in full' } })],
  [
    'a field of a struct that no type knows',
    bodyOf({ ...order, message: { ...order.message, legs: [{ ...order.message.legs[0], fee: 0 }] } }),
  ],
  ['a struct that nothing refers to', bodyOf({ ...order, types: { ...order.types, Refund: [{ name: 'inFull', type: 'bool' }] } })],
  ['words beside the message', bodyOf({ ...order, warning: 'none' })],
  ['words beside a member', bodyOf({ ...order, types: { ...order.types, Order: [{ ...Maker, label: 'payee' }, Legs, Salt] } })],
  ['a struct in the place of a type', bodyOf({ ...order, types: { ...order.types, uint256: [{ name: 'value', type: 'string' }] } })],
  ['a struct in the place of an alias', bodyOf({ ...order, types: { ...order.types, uint: [{ name: 'value', type: 'string' }] } })],
  ['a member that is declared twice', bodyOf({ ...order, types: { ...order.types, Order: [Maker, Legs, Salt, Salt] } })],
  [
    'a member whose name declares others',
    bodyOf({ ...order, types: { ...order.types, Order: [{ name: 'maker,Leg[] legs,uint256 salt', type: 'address' }] } }),
  ],
  [
    'a struct whose name declares another',
    bodyOf({
      ...order,
      types: { 'Order(address maker,Leg[] legs,uint256 salt)Leg': order.types.Leg },
      primaryType: 'Order(address maker,Leg[] legs,uint256 salt)Leg',
    }),
  ],
  ['the domain for the primary type', bodyOf({ ...order, primaryType: 'EIP712Domain' })],
  ['no chain', bodyOf({ ...order, domain: anyChain })],
  ['no contract', bodyOf({ ...order, domain: anyContract })],
  [
    'a chain that is shown and not signed',
    bodyOf({
      ...order,
      types: { ...order.types, EIP712Domain: domainOf(['name', 'string'], ['version', 'string'], ['verifyingContract', 'address']) },
    }),
  ],
  ['a domain that is shown and not signed', bodyOf({ ...order, types: { ...order.types, EIP712Domain: [] } })],
  ['a domain of other fields', bodyOf({ ...order, domain: { ...order.domain, network: 'test' } })],
  ['a missing leg', bodyOf({ ...order, message: { ...order.message, legs: order.message.legs.slice(1) } })],
  ['legs in another order', bodyOf({ ...order, message: { ...order.message, legs: order.message.legs.toReversed() } })],
  ['an amount that is out of range', bodyOf({ ...order, message: { ...order.message, salt: `0x1${'0'.repeat(63)}1` } })],
  ['a salt that is there twice', body.replace('"salt":1', '"salt":2,"salt":1')],
  ['a salt that a reader may round', body.replace('"salt":1', '"salt":1.00000000000000000001')],
  ['a message that is there twice', body.replace('"message":', '"message":{},"message":')],
  [
    'text that is bytes',
    bodyOf({ ...order, types: { ...order.types, Leg: [order.types.Leg[0], order.types.Leg[1], { name: 'proof', type: 'string' }] } }),
  ],
  [
    'text with half a character',
    bodyOf({ ...order, message: { ...order.message, legs: [{ ...order.message.legs[0], asset: '\ud800' }] } }),
  ],
]

for (const [what, other] of READ_DIFFERENTLY) {
  test(`typed data with ${what} do not get the signature of those without`, (t) => {
    t.not(other, body)
    t.not(signed(other), digest)
  })
}

test('two domains are never signed as one', (t) => {
  const domains = [
    order.domain,
    anyChain,
    anyContract,
    { name: 'Exchange' },
    { version: 'Exchange' },
    { chainId: 1 },
    { salt: `0x${'0'.repeat(63)}1` },
  ]
  const digests = domains.map((domain) => signed(bodyOf({ ...order, domain })))
  t.false(digests.includes(undefined))
  t.is(new Set(digests).size, domains.length)
})

/** Places of all values within this one, as the names that lead there. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, child]) => placesIn(child, [...path, name]))]
}

/** The value with another one at this place; undefined leaves it out. */
function changed(value: unknown, [name, ...rest]: readonly string[], change: (old: unknown) => unknown): unknown {
  if (name === undefined) return change(value)
  const next = changed((value as { [name: string]: unknown })[name], rest, change)
  if (Array.isArray(value)) return next === undefined ? value.toSpliced(Number(name), 1) : value.with(Number(name), next)
  return { ...(value as object), [name]: next }
}

/** What a value says, if it is one of a single part: an integer says the same in any notation. */
function meaning(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return /^(-?\d+|0x[\da-f]+)$/i.test(text) ? BigInt(text).toString() : text
}

/** Of a domain that declares no type the type is what it would declare. */
const isImplied = (path: readonly string[]) => path.join('/') === 'types/EIP712Domain'

test('whatever is changed, left out or added anywhere in typed data changes what is signed, or is refused', (t) => {
  const examples = [order, ...vectors.vectors.map(({ typedData }) => typedData)]
  const place = fc
    .constantFrom(...examples)
    .chain((typedData) => fc.tuple(fc.constant(typedData), fc.constantFrom(...placesIn(typedData).filter((path) => !isImplied(path)))))
  const replacement = fc.oneof(
    fc.constant(undefined),
    fc.jsonValue(),
    fc.integer().map(String),
    fc.uint8Array({ maxLength: 32 }).map((bytes) => `0x${bytesToHex(bytes)}`),
    fc.constantFrom('bool', 'uint8', 'uint256', 'bytes', 'string', 'address', 'EIP712Domain', 'Leg', 'Leg[]'),
    fc.dictionary(fc.constantFrom('name', 'type', 'extra', '__proto__'), fc.jsonValue(), { minKeys: 1 }),
  )
  fc.assert(
    fc.property(place, replacement, fc.boolean(), ([typedData, path], by, isAdded) => {
      const isObject = (old: unknown): old is object => typeof old === 'object' && old !== null && !Array.isArray(old)
      const change = (old: unknown) => (isAdded && isObject(old) ? { ...old, added: by } : by)
      const other = changed(typedData, path, (old) => {
        const next = change(old)
        return meaning(next) === meaning(old) ? undefined : next
      })
      const text = bodyOf(other)
      if (text === bodyOf(typedData)) return
      t.not(signed(text), signed(bodyOf(typedData)), `${path.join('/')} in ${text}`)
    }),
    { numRuns: runs(2_000) },
  )
})
