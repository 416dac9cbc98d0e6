import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { withChecksum } from './address.ts'
import {
  DOMAIN_TYPE,
  encodeType,
  type Member,
  memberOf,
  readStructTypes,
  type StructTypes,
  structsWithin,
  type ValueType,
} from './struct-types.ts'
import { readExactFields, readObject, typedDataInvalid } from './typed-data-fields.ts'

/** What a domain may consist of, in this order (EIP-712, definition of domainSeparator). */
const DOMAIN_MEMBERS: readonly Member[] = [
  ['name', 'string'],
  ['version', 'string'],
  ['chainId', 'uint256'],
  ['verifyingContract', 'address'],
  ['salt', 'bytes32'],
].map(([name, type]) => memberOf(name!, type!, new Set())!)

/** How deep structs and arrays may stand in each other. */
const MAX_DEPTH = 16
/** Of any kind, whole structs and arrays among them: most take a hash, and a party has others to answer meanwhile. */
const MAX_VALUES = 2_000
/** Of the primary type with all that it refers to: each struct in it is hashed with what it refers to in turn. */
const MAX_TYPE_CHARACTERS = 8 * 1024

const PREFIX = Uint8Array.of(0x19, 0x01)

/**
 * What is signed for typed structured data `{types, primaryType, domain, message}` (EIP-712, as `eth_signTypedData_v4` takes it), 32 bytes. Whatever is in it
 * is part of what is signed, and has one meaning: a struct that nothing refers to, a field that no type knows or one that is left out is refused. Without
 * `types.EIP712Domain` the domain is hashed as the standard's members that it has.
 * @param at JSON Pointer of the value, which those of errors begin with
 * @throws DomainError `typed_data_invalid`
 */
export function typedDataDigest(value: unknown, at = ''): Uint8Array {
  const { types, primaryType, domain, message } = readExactFields(value, ['types', 'primaryType', 'domain', 'message'], at)
  const declared = readStructTypes(types, `${at}/types`)
  const primary = readPrimaryType(primaryType, declared, at)
  const structs = new Map([...declared, [DOMAIN_TYPE, domainMembers(declared.get(DOMAIN_TYPE), domain, at)]])
  const hashStruct = structHashing(structs)
  return keccak_256(concatBytes(PREFIX, hashStruct(DOMAIN_TYPE, domain, `${at}/domain`), hashStruct(primary, message, `${at}/message`)))
}

/** What typed data are for: their primary type, and the contract that their domain says is to verify them. */
export type TypedDataPurpose = {
  primaryType: string
  /** CAIP-10, with its checksum; null where the domain does not name both a chain and a contract. */
  contract: string | null
}

/** @param value what `typedDataDigest` takes: all of this is part of what is signed */
export function purposeOf(value: unknown): TypedDataPurpose {
  const { primaryType, domain } = value as { primaryType: string; domain: { chainId?: string | number; verifyingContract?: string } }
  const { chainId, verifyingContract } = domain
  if (chainId === undefined || verifyingContract === undefined) return { primaryType, contract: null }
  return { primaryType, contract: `eip155:${BigInt(chainId)}:${withChecksum(verifyingContract.toLowerCase())}` }
}

function readPrimaryType(primaryType: unknown, types: StructTypes, at: string): string {
  // The domain alone is signed by some implementations, without the message that stands beside it.
  if (typeof primaryType !== 'string' || !types.has(primaryType) || primaryType === DOMAIN_TYPE)
    throw typedDataInvalid(`${at}/primaryType`, `must be the name of a struct in types, and not ${DOMAIN_TYPE}`)
  const used = structsWithin(types, primaryType)
  const unused = [...types.keys()].find((name) => !used.has(name) && name !== DOMAIN_TYPE)
  if (unused !== undefined) throw typedDataInvalid(`${at}/types/${unused}`, 'is not a part of the primary type, and would not be signed')
  if (encodeType(types, primaryType).length > MAX_TYPE_CHARACTERS)
    throw typedDataInvalid(`${at}/types`, `may have at most ${MAX_TYPE_CHARACTERS} characters, as they are hashed`)
  return primaryType
}

/** Contracts have it that hash the members in another order, so that the order is theirs; what there can be is the standard's. */
function domainMembers(declared: readonly Member[] | undefined, domain: unknown, at: string): readonly Member[] {
  const fields = readObject(domain, `${at}/domain`)
  const members = declared ?? DOMAIN_MEMBERS.filter(({ name }) => Object.hasOwn(fields, name))
  const isStandard = (member: Member) => DOMAIN_MEMBERS.some(({ name, type }) => name === member.name && type === member.type)
  const stranger = members.findIndex((member) => !isStandard(member))
  if (stranger >= 0) throw typedDataInvalid(`${at}/types/${DOMAIN_TYPE}/${stranger}`, 'is no member that a domain can have')
  if (members.length === 0)
    throw typedDataInvalid(`${at}/domain`, `must have one at least of ${DOMAIN_MEMBERS.map(({ name }) => name).join(', ')}`)
  return members
}

/** `hashStruct` of EIP-712 for these structs; all values that it is given count together. */
function structHashing(types: StructTypes): (name: string, value: unknown, at: string) => Uint8Array {
  const typeHashes = new Map<string, Uint8Array>()
  let values = 0

  function typeHash(name: string): Uint8Array {
    const known = typeHashes.get(name)
    if (known) return known
    const hash = keccak_256(utf8ToBytes(encodeType(types, name)))
    typeHashes.set(name, hash)
    return hash
  }

  function hashStruct(name: string, value: unknown, at: string, depth = 0): Uint8Array {
    const members = types.get(name)!
    const fields = readExactFields(
      value,
      members.map(({ name }) => name),
      at,
    )
    const encoded = members.map(({ name, valueType }) => encode(valueType, fields[name], `${at}/${name}`, depth + 1))
    return keccak_256(concatBytes(typeHash(name), ...encoded))
  }

  function hashArray({ item, length }: ValueType & { kind: 'array' }, value: unknown, at: string, depth: number): Uint8Array {
    if (!Array.isArray(value)) throw typedDataInvalid(at, 'must be a list')
    if (length !== undefined && value.length !== length) throw typedDataInvalid(at, `must have ${length} items`)
    return keccak_256(concatBytes(...value.map((each, index) => encode(item, each, `${at}/${index}`, depth + 1))))
  }

  function encode(type: ValueType, value: unknown, at: string, depth: number): Uint8Array {
    if (++values > MAX_VALUES) throw typedDataInvalid(at, `is one too many: there may be at most ${MAX_VALUES} values`)
    if (depth > MAX_DEPTH) throw typedDataInvalid(at, `is nested deeper than ${MAX_DEPTH} levels`)
    if (type.kind === 'struct') return hashStruct(type.name, value, at, depth)
    if (type.kind === 'array') return hashArray(type, value, at, depth)
    const encoded = type.atomic.encode(value)
    if (!encoded) throw typedDataInvalid(at, `must be ${type.atomic.expected}`)
    return encoded
  }

  return hashStruct
}
