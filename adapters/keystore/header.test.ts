import test from 'ava'
import { decodeHeader, encodeHeader } from './header.ts'

const HEADER = { cost: { N: 16_384, r: 8, p: 1 }, salt: Buffer.alloc(32, 1), check: Buffer.alloc(32, 2) }

const altered = (change: (file: { [field: string]: unknown; kdf: { [field: string]: unknown } }) => void): Buffer => {
  const file = JSON.parse(encodeHeader(HEADER).toString())
  change(file)
  return Buffer.from(JSON.stringify(file))
}

test('a header is read as it was written', (t) => {
  t.deepEqual(decodeHeader(encodeHeader(HEADER)), HEADER)
})

test('a header that would be expensive, or that nobody here wrote, is refused', (t) => {
  const headers = [
    Buffer.from(''),
    Buffer.from('[]'),
    Buffer.from('null'),
    Buffer.from('{'),
    altered((file) => (file.version = 2)),
    altered((file) => (file.check = 'AAAA')),
    altered((file) => delete file.check),
    altered(({ kdf }) => (kdf.name = 'pbkdf2')),
    altered(({ kdf }) => (kdf.N = 2 ** 30)),
    altered(({ kdf }) => (kdf.N = 1_000)),
    altered(({ kdf }) => (kdf.N = 1)),
    altered(({ kdf }) => (kdf.r = 1_000)),
    altered(({ kdf }) => (kdf.p = 0)),
    altered(({ kdf }) => (kdf.p = '1')),
    altered(({ kdf }) => (kdf.salt = '')),
  ]
  for (const header of headers) t.throws(() => decodeHeader(header), { name: 'KeystoreRefused', code: 'header_invalid' }, header.toString())
})
