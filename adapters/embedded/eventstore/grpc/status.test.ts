import test from 'ava'
import { CODE, trailersOf } from './status.ts'

test('texts are percent-encoded where they are not printable ASCII', (t) => {
  t.deepEqual(trailersOf({ code: CODE.notFound, details: 'größe 5%\n', trailers: { 'stream-name': 'wallet-ü' } }), {
    'grpc-status': '5',
    'grpc-message': 'gr%C3%B6%C3%9Fe 5%25%0A',
    'stream-name': 'wallet-%C3%BC',
  })
})

test('half of a surrogate pair does no harm', (t) => {
  t.is(trailersOf({ code: CODE.internal, details: 'a\ud800b' })['grpc-message'], 'a%EF%BF%BDb')
})

test('success says nothing but so', (t) => {
  t.deepEqual(trailersOf({ code: CODE.ok, details: '' }), { 'grpc-status': '0' })
})

test('a text that is too long for a header is cut', (t) => {
  for (const text of ['x'.repeat(100_000), 'ü'.repeat(30_000)]) {
    const { 'grpc-message': message, 'stream-name': name } = trailersOf({
      code: CODE.notFound,
      details: text,
      trailers: { 'stream-name': text },
    })
    for (const cut of [message, name]) {
      t.true(cut!.length <= 24 * 1024 && cut!.length > 1000)
      t.true(text.startsWith(decodeURIComponent(cut!)))
    }
  }
})
