import { pointerToken } from '../json/json-pointer.ts'
import { type AtomicType, atomicType } from './atomic-types.ts'
import { readExactFields, readObject, typedDataInvalid } from './typed-data-fields.ts'

/** The struct that the domain is hashed as: no other may refer to it, or be it. */
export const DOMAIN_TYPE = 'EIP712Domain'

export type ValueType =
  | { readonly kind: 'atomic'; readonly atomic: AtomicType }
  | { readonly kind: 'struct'; readonly name: string }
  /** Without a length it has as many items as there are. */
  | { readonly kind: 'array'; readonly item: ValueType; readonly length: number | undefined }

export type Member = { readonly name: string; readonly type: string; readonly valueType: ValueType }

/** Members of structs, in the order in which they are hashed, by the name of the struct. */
export type StructTypes = ReadonlyMap<string, readonly Member[]>

const MAX_STRUCTS = 32

/** Solidity has the dollar sign, too, but implementations differ in what such a name refers to. */
const IDENTIFIER = /^[A-Za-z_]\w{0,63}$/
/** What Solidity takes, or might, for a type of its own: a struct of such a name would be read as something else than it is. */
const ELEMENTARY = /^(address|bool|byte|function|string|(bytes|u?int)\d*|u?fixed(\d+x\d+)?)$/
const TYPE = /^([A-Za-z_]\w{0,63})((?:\[(?:[1-9]\d{0,4})?\]){0,16})$/

/** The `types` of typed data. @throws DomainError `typed_data_invalid` */
export function readStructTypes(value: unknown, at: string): StructTypes {
  const declared = Object.entries(readObject(value, at))
  if (declared.length > MAX_STRUCTS) throw typedDataInvalid(at, `may hold at most ${MAX_STRUCTS} structs`)
  const names = new Set(declared.map(([name]) => name))
  names.delete(DOMAIN_TYPE)
  const types = new Map<string, readonly Member[]>()
  for (const [name, list] of declared) {
    const here = at + pointerToken(name)
    if (!IDENTIFIER.test(name)) throw typedDataInvalid(here, 'must be named by an identifier: letters, digits and _, at most 64')
    if (ELEMENTARY.test(name)) throw typedDataInvalid(here, 'bears the name of a type that is none of a struct')
    if (!Array.isArray(list)) throw typedDataInvalid(here, 'must be a list of members')
    types.set(name, readMembers(list, names, here))
  }
  return types
}

/** A member of a struct out of the names that it is declared with; undefined when there is no such type. */
export function memberOf(name: string, type: string, structs: ReadonlySet<string>): Member | undefined {
  const [, base, dimensions] = TYPE.exec(type) ?? []
  if (base === undefined || dimensions === undefined) return undefined
  const atomic = atomicType(base)
  let valueType: ValueType
  if (atomic) valueType = { kind: 'atomic', atomic }
  else if (structs.has(base)) valueType = { kind: 'struct', name: base }
  else return undefined
  // The outermost array is the last one: `Leg[2][]` is a list of pairs.
  for (const [, length] of dimensions.matchAll(/\[(\d*)\]/g))
    valueType = { kind: 'array', item: valueType, length: length ? Number(length) : undefined }
  return { name, type, valueType }
}

/** `encodeType` of EIP-712: the struct, then all that it refers to, sorted by name. */
export function encodeType(types: StructTypes, name: string): string {
  const [, ...referred] = structsWithin(types, name)
  const declaration = (struct: string) =>
    `${struct}(${types
      .get(struct)!
      .map(({ name, type }) => `${type} ${name}`)
      .join(',')})`
  return [name, ...referred.sort()].map(declaration).join('')
}

/** The struct, first, and all that its members refer to, directly or not. */
export function structsWithin(types: StructTypes, name: string, found = new Set<string>()): ReadonlySet<string> {
  found.add(name)
  for (const { valueType } of types.get(name)!) {
    const referred = structIn(valueType)
    if (referred !== undefined && !found.has(referred)) structsWithin(types, referred, found)
  }
  return found
}

function structIn(type: ValueType): string | undefined {
  if (type.kind === 'array') return structIn(type.item)
  return type.kind === 'struct' ? type.name : undefined
}

function readMembers(list: readonly unknown[], structs: ReadonlySet<string>, at: string): readonly Member[] {
  const members = new Map<string, Member>()
  for (const [index, declared] of list.entries()) {
    const here = `${at}/${index}`
    const { name, type } = readExactFields(declared, ['name', 'type'], here)
    if (typeof name !== 'string' || !IDENTIFIER.test(name))
      throw typedDataInvalid(`${here}/name`, 'must be an identifier: letters, digits and _, at most 64')
    if (members.has(name)) throw typedDataInvalid(`${here}/name`, 'is the name of another member')
    const member = typeof type === 'string' ? memberOf(name, type, structs) : undefined
    if (!member) throw typedDataInvalid(`${here}/type`, 'must be a type of EIP-712, or a struct that is declared here, or arrays of such')
    members.set(name, member)
  }
  return [...members.values()]
}
