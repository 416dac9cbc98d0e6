import { bytesToHex } from '@noble/hashes/utils.js'
import test from 'ava'
import { DomainError } from '../domain-error.ts'
import { encodeType, readStructTypes } from './struct-types.ts'
import { typedDataDigest } from './typed-data.ts'
import vectors from './vectors/typed-data.json' with { type: 'json' }

const digest = (value: unknown) => bytesToHex(typedDataDigest(value))

const domain = { name: 'Ether Mail', version: '1', chainId: 1, verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC' }
const EIP712Domain = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
]

/** The example of EIP-712. */
const mail = {
  types: {
    EIP712Domain,
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  domain,
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
}
const MAIL_DIGEST = 'be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2'

/** The example of the tests of eth_signTypedData_v4. */
const group = {
  types: {
    EIP712Domain,
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallets', type: 'address[]' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person[]' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  domain,
  message: {
    from: { name: 'Cow', wallets: ['0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826', '0xDeaDbeefdEAdbeefdEadbEEFdeadbeEFdEaDbeeF'] },
    to: [
      {
        name: 'Bob',
        wallets: [
          '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB',
          '0xB0BdaBea57B0BDABeA57b0bdABEA57b0BDabEa57',
          '0xB0B0b0b0b0b0B000000000000000000000000000',
        ],
      },
    ],
    contents: 'Hello, Bob!',
  },
}

const tree = {
  types: {
    Node: [
      { name: 'label', type: 'string' },
      { name: 'children', type: 'Node[]' },
    ],
  },
  primaryType: 'Node',
  domain: { name: 'Tree' },
  message: {
    label: 'root',
    children: [
      { label: 'left', children: [] },
      { label: 'right', children: [{ label: 'leaf', children: [] }] },
    ],
  },
}

test('the example of EIP-712', (t) => {
  t.is(digest(mail), MAIL_DIGEST)
  t.is(encodeType(readStructTypes(mail.types, ''), 'Mail'), 'Mail(Person from,Person to,string contents)Person(string name,address wallet)')
})

test('the example of eth_signTypedData_v4: arrays of structs and of addresses', (t) => {
  t.is(digest(group), 'a85c2e2b118698e88db68a8105b794a8cc7cec074e89ef991cb4f5f533819cc2')
})

test('a struct may refer to itself through an array', (t) => {
  t.is(digest(tree), '35e31fd42893bb7ec2a604ece863850205629ba593d5d7cffd06803c55ae0519')
  t.is(encodeType(readStructTypes(tree.types, ''), 'Node'), 'Node(string label,Node[] children)')
})

test('structs are sorted by name, behind the one they belong to, whatever their order', (t) => {
  const of = (...types: string[]) => types.map((type, index) => ({ name: `m${index}`, type }))
  const types = { b: of('Z[2][]', 'a'), Z: of('_'), _: of('uint8', 'a'), a: of('bytes3') }
  const encoded = 'b(Z[2][] m0,a m1)Z(_ m0)_(uint8 m0,a m1)a(bytes3 m0)'
  t.is(encodeType(readStructTypes(types, ''), 'b'), encoded)
  t.is(encodeType(readStructTypes(Object.fromEntries(Object.entries(types).reverse()), ''), 'b'), encoded)
})

for (const [index, { typedData, digest: expected }] of vectors.vectors.entries()) {
  test(`typed data that others hash alike (${index + 1})`, (t) => {
    t.is(`0x${digest(typedData)}`, expected)
  })
}

test('the domain is made of the fields that it has, in the standard’s order; where it is declared, in the declared one', (t) => {
  const { EIP712Domain: _, ...types } = mail.types
  t.is(digest({ ...mail, types }), MAIL_DIGEST)
  t.is(digest({ ...mail, types, domain: Object.fromEntries(Object.entries(domain).reverse()) }), MAIL_DIGEST)
  t.not(digest({ ...mail, types: { ...types, EIP712Domain: EIP712Domain.toReversed() } }), MAIL_DIGEST)
})

test('an integer is the same however it is written, and so are the fields in any order', (t) => {
  for (const chainId of ['1', '0x1']) t.is(digest({ ...mail, domain: { ...domain, chainId } }), MAIL_DIGEST)
  const { message, ...rest } = mail
  t.is(digest({ message: Object.fromEntries(Object.entries(message).reverse()), ...rest }), MAIL_DIGEST)
})

const change = (changes: object) => ({ ...mail, ...changes })
const types = (changes: object) => change({ types: { ...mail.types, ...changes } })
const member = (name: unknown, type: unknown) => types({ Person: [...mail.types.Person, { name, type }] })
const message = (changes: object) => change({ message: { ...mail.message, ...changes } })
const deep = (levels: number): object => ({ label: '', children: levels === 0 ? [] : [deep(levels - 1)] })

const REFUSED: readonly (readonly [what: string, value: unknown, pointer: string])[] = [
  ['no object', 'mail', ''],
  ['a list', [mail], ''],
  ['nothing', null, ''],
  ['no message', { types: mail.types, primaryType: 'Mail', domain }, '/message'],
  ['another field', change({ note: 'x' }), '/note'],

  ['types that are a list', change({ types: [] }), '/types'],
  ['a struct that is no list', types({ Person: {} }), '/types/Person'],
  ['a struct named as no identifier', types({ 'Per son': [] }), '/types/Per son'],
  ['a struct whose name declares another', types({ 'Person(string name)Mail': [] }), '/types/Person(string name)Mail'],
  ['a struct with a name that has to be escaped', types({ 'a/b~c': [] }), '/types/a~1b~0c'],
  ['a struct whose name begins with a digit', types({ '1st': [] }), '/types/1st'],
  ['a struct without a name', types({ '': [] }), '/types/'],
  ['a struct with a name that others take for none', types({ $Person: [] }), '/types/$Person'],
  ['a struct with a long name', types({ ['x'.repeat(65)]: [] }), `/types/${'x'.repeat(64)}`],
  ...[
    'address',
    'bool',
    'string',
    'bytes',
    'bytes32',
    'bytes33',
    'uint256',
    'uint',
    'int',
    'uint7',
    'function',
    'fixed128x18',
    'ufixed',
    'byte',
  ].map(
    (name) =>
      [
        `a struct of the name of a type: ${name}`,
        types({ [name]: [{ name: 'x', type: 'uint8' }], Person: [...mail.types.Person, { name: 'more', type: name }] }),
        `/types/${name}`,
      ] as const,
  ),
  ['a struct that nothing refers to', types({ Warning: [{ name: 'text', type: 'string' }] }), '/types/Warning'],
  ['too many structs', types(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`S${index}`, []]))), '/types'],
  [
    'types that are long',
    types({ Person: Array.from({ length: 500 }, (_, index) => ({ name: `member${index}`, type: 'bytes32' })) }),
    '/types',
  ],

  ['a member that is text', types({ Person: ['string name'] }), '/types/Person/0'],
  ['a member without a type', types({ Person: [{ name: 'name' }] }), '/types/Person/0/type'],
  ['a member with another field', types({ Person: [{ name: 'name', type: 'string', indexed: true }] }), '/types/Person/0/indexed'],
  ['a member named as no identifier', member('x,uint256 y', 'bool'), '/types/Person/2/name'],
  ['a member without a name', member('', 'bool'), '/types/Person/2/name'],
  ['a member whose name is no text', member(7, 'bool'), '/types/Person/2/name'],
  ['a member twice', member('wallet', 'address'), '/types/Person/2/name'],
  ...[
    'uint',
    'int',
    'Nobody',
    'uint256 ',
    'Person []',
    '[]',
    'uint8[0]',
    'uint8[01]',
    'uint8[-1]',
    'uint8[1',
    'uint8]',
    'uint8[1]x',
    '',
    'EIP712Domain',
  ].map((type) => [`a member of a type that is none: ${type}`, member('more', type), '/types/Person/2/type'] as const),
  ['a member of a type that is no text', member('more', null), '/types/Person/2/type'],
  ['a member of a type with too many dimensions', member('more', `bool${'[]'.repeat(17)}`), '/types/Person/2/type'],

  ['a primary type that is none of its', change({ primaryType: 'Letter' }), '/primaryType'],
  ['an atomic primary type', change({ primaryType: 'string' }), '/primaryType'],
  ['a primary type inherited from JavaScript', change({ primaryType: 'constructor' }), '/primaryType'],
  ['a primary type that is no text', change({ primaryType: ['Mail'] }), '/primaryType'],
  ['the domain for a primary type', change({ primaryType: 'EIP712Domain' }), '/primaryType'],

  ['a domain that is a list', change({ domain: [] }), '/domain'],
  ['an empty domain', { ...tree, domain: {} }, '/domain'],
  ['a domain that is declared empty', types({ EIP712Domain: [] }), '/domain'],
  [
    'a domain without a field that is declared',
    change({ domain: { name: 'Ether Mail', version: '1', chainId: 1 } }),
    '/domain/verifyingContract',
  ],
  ['a domain with a field that is not declared', change({ domain: { ...domain, salt: `0x${'00'.repeat(32)}` } }), '/domain/salt'],
  ['a domain with a field that there is not', { ...tree, domain: { name: 'Tree', chain: 1 } }, '/domain/chain'],
  [
    'a domain with a declared field that there is not',
    types({ EIP712Domain: [{ name: 'chain', type: 'uint256' }] }),
    '/types/EIP712Domain/0',
  ],
  ['a chain that is text', types({ EIP712Domain: [{ name: 'chainId', type: 'string' }] }), '/types/EIP712Domain/0'],
  ['a chain that is a name', change({ domain: { ...domain, chainId: 'mainnet' } }), '/domain/chainId'],

  ['a message that is a list', change({ message: [] }), '/message'],
  ['a message that lacks a field', change({ message: { from: mail.message.from, to: mail.message.to } }), '/message/contents'],
  ['a message with a field more', message({ amount: 1 }), '/message/amount'],
  ['a struct with a field more', message({ to: { ...mail.message.to, 'e/mail': 'bob' } }), '/message/to/e~1mail'],
  ['a field that is inherited', { ...message({}), message: Object.create(mail.message) }, '/message/from'],
  ['null for a struct', message({ to: null }), '/message/to'],
  ['null for text', message({ contents: null }), '/message/contents'],
  ['a bad address', message({ to: { name: 'Bob', wallet: '0xBBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' } }), '/message/to/wallet'],
  ['a list for a struct', message({ to: [mail.message.to] }), '/message/to'],
  ['a struct for a list', { ...group, message: { ...group.message, to: { 0: group.message.from } } }, '/message/to'],
  ['a bad item', { ...group, message: { ...group.message, from: { name: 'Cow', wallets: ['0x00'] } } }, '/message/from/wallets/0'],
  [
    'a struct that refers to itself without end',
    { ...tree, types: { Node: [{ name: 'next', type: 'Node' }] }, message: { next: { next: {} } } },
    '/message/next/next/next',
  ],
]

for (const [what, value, pointer] of REFUSED) {
  test(`${what} is refused at ${pointer || 'the root'}`, (t) => {
    const error = t.throws(() => typedDataDigest(value, '/payload/typedData'), { instanceOf: DomainError, code: 'typed_data_invalid' })
    t.is(error?.pointer, `/payload/typedData${pointer}`)
  })
}

test('arrays of a fixed length have it, in each dimension', (t) => {
  const matrix = (value: unknown) => ({
    types: { Matrix: [{ name: 'rows', type: 'uint8[2][3]' }] },
    primaryType: 'Matrix',
    domain: { name: 'm' },
    message: { rows: value },
  })
  const row = [1, 2]
  t.notThrows(() => typedDataDigest(matrix([row, row, row])))
  for (const [value, pointer] of [
    [[row, row], '/message/rows'],
    [[row, row, row, row], '/message/rows'],
    [[row, [1, 2, 3], row], '/message/rows/1'],
    [[row, row, [1]], '/message/rows/2'],
    [[row, row, [1, 256]], '/message/rows/2/1'],
  ] as const)
    t.like(
      t.throws(() => typedDataDigest(matrix(value)), { instanceOf: DomainError }),
      { code: 'typed_data_invalid', pointer },
    )
})

test('depth and number of values are bounded', (t) => {
  t.notThrows(() => typedDataDigest({ ...tree, message: deep(7) }))
  const error = t.throws(() => typedDataDigest({ ...tree, message: deep(5_000) }), { instanceOf: DomainError, code: 'typed_data_invalid' })
  t.regex(error?.message ?? '', /deeper/)

  const list = (length: number) => ({
    types: { List: [{ name: 'items', type: 'bytes[]' }] },
    primaryType: 'List',
    domain: { name: 'l' },
    message: { items: Array.from({ length }, () => '0x') },
  })
  t.notThrows(() => typedDataDigest(list(1_900)))
  t.regex(t.throws(() => typedDataDigest(list(2_000)), { code: 'typed_data_invalid' })?.message ?? '', /2000 values/)
})
