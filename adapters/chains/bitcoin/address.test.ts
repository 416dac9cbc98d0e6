import { createHash } from 'node:crypto'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { bech32m, createBase58check } from '@scure/base'
import test from 'ava'
import fc from 'fast-check'
import { InvalidPublicKey } from '../../../domain/ports/chain.ts'
import { protocolOf } from '../../../domain/threshold/registry.ts'
import { encodePublicPackage } from '../../../domain/threshold/shared-key/key-material.ts'
import { family } from './family.ts'
import { NETWORKS } from './networks.ts'

const chainOf = (name: string) => family.chain(Object.keys(NETWORKS).find((genesis) => NETWORKS[genesis]!.name === name)!)!
const mainnet = chainOf('Bitcoin')
const testnet = chainOf('Bitcoin testnet 4')
const regtest = chainOf('Bitcoin regtest')

const base58check = createBase58check((bytes: Uint8Array) => createHash('sha256').update(bytes).digest())

/** The public package of the key in an extended public key (BIP-32), as if one participant held it alone. */
function packageOf(extendedKey: string): Uint8Array {
  const bytes = base58check.decode(extendedKey)
  const publicKey = secp256k1.Point.fromBytes(bytes.subarray(45))
  return encodePublicPackage({ threshold: 1, parties: 1, chainCode: bytes.slice(13, 45), publicKey }, [publicKey])
}

/** The accounts of the test vectors of BIP-86 and BIP-84, and their addresses at m/0/0, m/0/1 and m/1/0. */
for (const [scheme, account, addresses] of [
  [
    'frost-secp256k1-tr',
    'xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ',
    [
      'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr',
      'bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh',
      'bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7',
    ],
  ],
  [
    'dkls23-secp256k1',
    'zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs',
    [
      'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu',
      'bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g',
      'bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el',
    ],
  ],
] as const) {
  test(`${scheme}: the derived keys of the standard's account have the addresses given there`, (t) => {
    const keyAt = (path: readonly number[]) => protocolOf(scheme).derive(packageOf(account), path).publicKey
    t.deepEqual(
      [
        [0, 0],
        [0, 1],
        [1, 0],
      ].map((path) => mainnet.addressOf(scheme, keyAt(path))),
      [...addresses],
    )
    for (const address of addresses) t.is(mainnet.readAddress(address, '/to'), address)
  })
}

test('the networks are named by the hashes of their first blocks', (t) => {
  const merkleRoot = '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b'
  const merkleRootOfTestnet4 = '7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e'
  const genesis = ([root, time, bits, nonce]: readonly [string, number, number, number]) => {
    const header = Buffer.alloc(80)
    header.writeUInt32LE(1)
    Buffer.from(root, 'hex').reverse().copy(header, 36)
    header.writeUInt32LE(time, 68)
    header.writeUInt32LE(bits, 72)
    header.writeUInt32LE(nonce, 76)
    const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
    return sha256(sha256(header)).reverse().toString('hex').slice(0, 32)
  }
  t.deepEqual(
    (
      [
        [merkleRoot, 1_231_006_505, 0x1d00ffff, 2_083_236_893],
        [merkleRoot, 1_296_688_602, 0x1d00ffff, 414_098_458],
        [merkleRootOfTestnet4, 1_714_777_860, 0x1d00ffff, 393_743_547],
        [merkleRoot, 1_598_918_400, 0x1e0377ae, 52_613_770],
        [merkleRoot, 1_296_688_602, 0x207fffff, 2],
      ] as const
    ).map(genesis),
    Object.keys(NETWORKS),
  )
})

const secretKey = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => secp256k1.utils.isValidSecretKey(bytes))

test('the address of any key is read as itself on its network, in upper case, too, and on no other', (t) => {
  fc.assert(
    fc.property(secretKey, (secret) => {
      for (const chain of [mainnet, testnet, regtest]) {
        for (const address of [
          chain.addressOf('frost-secp256k1-tr', schnorr.getPublicKey(secret)),
          chain.addressOf('dkls23-secp256k1', secp256k1.getPublicKey(secret)),
        ]) {
          t.is(chain.readAddress(address, '/to'), address)
          t.is(chain.readAddress(address.toUpperCase(), '/to'), address)
          for (const other of [mainnet, testnet, regtest])
            if (other !== chain) t.throws(() => other.readAddress(address, '/to'), { code: 'address_of_another_network' })
        }
      }
    }),
    { numRuns: 20 },
  )
})

test('one wrong letter anywhere in an address is noticed', (t) => {
  const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
  const address = 'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr'
  fc.assert(
    fc.property(fc.integer({ min: 3, max: address.length - 1 }), fc.constantFrom(...letters), (index, letter) => {
      fc.pre(address[index] !== letter)
      const wrong = address.slice(0, index) + letter + address.slice(index + 1)
      t.throws(() => mainnet.readAddress(wrong, '/to'), { code: 'address_checksum_wrong' }, wrong)
    }),
  )
})

for (const address of [
  '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
  '3P14159f73E4gFr7JterCCQh9QjiTjiZrG',
  'bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3',
  'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
]) {
  test(`${address} can be paid to, and not on a test network`, (t) => {
    t.is(mainnet.readAddress(address, '/to'), address)
    t.throws(() => testnet.readAddress(address, '/to'), { code: 'address_of_another_network' })
    t.throws(() => regtest.readAddress(address, '/to'), { code: 'address_of_another_network' })
  })
}

/** Most are the invalid ones of BIP-173 and BIP-350. */
const REFUSED: readonly (readonly [code: string, why: string, text: string])[] = [
  ['address_of_another_network', 'another prefix', 'tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut'],
  ['address_of_another_network', 'of Litecoin', 'ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9'],
  ['address_of_another_network', 'of a test network, in Base58', 'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn'],
  ['address_checksum_wrong', 'a digit is wrong, in Base58', '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb'],
  ['address_checksum_wrong', 'version 1 with the checksum of version 0', 'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd'],
  ['address_checksum_wrong', 'version 16, the same', 'BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL'],
  ['address_checksum_wrong', 'version 0 with the checksum of version 1', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh'],
  ['address_malformed', 'a character that there is not', 'bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4'],
  ['address_malformed', 'version 17', 'BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R'],
  ['address_malformed', 'a program of one byte', 'bc1pw5dgrnzv'],
  ['address_malformed', 'a program of 41 bytes', 'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav'],
  ['address_malformed', 'version 0 with 16 bytes', 'BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P'],
  ['address_malformed', 'mixed case', 'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jJ0'],
  ['address_malformed', 'too much padding', 'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf'],
  ['address_malformed', 'no data', 'bc1gmk9yu'],
  ['address_kind_not_supported', 'version 1 with 40 bytes', 'bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y'],
  ['address_kind_not_supported', 'version 16', 'BC1SW50QGDZ25J'],
  ['address_kind_not_supported', 'version 2', 'bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs'],
  ['address_kind_not_supported', 'pay to anchor: anybody may spend', 'bc1pfeessrawgf'],
  ['address_malformed', 'a private key', 'KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn'],
  ['address_malformed', 'of Ethereum', '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf'],
  ['address_malformed', 'of Solana', '7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV'],
  ['address_malformed', 'white space', ' bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'],
  ['address_malformed', 'nothing', ''],
  ['address_malformed', 'very long', 'bc1'.repeat(10_000)],
]

for (const [code, why, text] of REFUSED) {
  test(`${code}: ${why}`, (t) => {
    const error = t.throws(() => mainnet.readAddress(text, '/to'), { code })
    t.like(error, { pointer: '/to' })
    t.false(text !== '' && error!.message.includes(text))
  })
}

test('an output key that is no point of the curve could be paid to, and never spent from', (t) => {
  const text = bech32m.encode('bc', [1, ...bech32m.toWords(new Uint8Array(32).fill(0xff))])
  t.throws(() => mainnet.readAddress(text, '/to'), { code: 'address_malformed', message: /nobody/ })
})

test('padding that is not zero is refused on the network it would be of', (t) => {
  const text = 'tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j'
  t.throws(() => testnet.readAddress(text, '/to'), { code: 'address_malformed' })
})

test('what is no key of the scheme has no address', (t) => {
  const compressed = secp256k1.Point.BASE.toBytes()
  const noPoint = hexToBytes('ff'.repeat(32))
  for (const [scheme, bytes] of [
    ['frost-secp256k1-tr', compressed],
    ['frost-secp256k1-tr', noPoint],
    ['dkls23-secp256k1', compressed.subarray(1)],
    ['dkls23-secp256k1', secp256k1.Point.BASE.toBytes(false)],
    ['dkls23-secp256k1', Uint8Array.of(2, ...noPoint)],
  ] as const)
    t.throws(() => mainnet.addressOf(scheme, bytes), { instanceOf: InvalidPublicKey }, `${scheme} ${bytesToHex(bytes)}`)
})
