import test from 'ava'
import fc from 'fast-check'
import { startReadSide, walletFields } from './testing/read-side.ts'

test('whatever is sent as a cursor, it is taken for one of this list or refused by name', async (t) => {
  const side = await startReadSide(t)
  const { walletId } = walletFields()
  await side.project('wallets', walletId, { ...walletFields(), walletId })
  const cursor = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'binary', maxLength: 100 }).map((text) => Buffer.from(`keys:${text}`).toString('base64url')),
  )
  await fc.assert(
    fc.asyncProperty(cursor, async (given) => {
      const { status, json } = await side.app.call('GET', `/v1/wallets/${walletId}/keys?${new URLSearchParams({ cursor: given })}`)
      if (status !== 200) t.deepEqual([status, json.errors[0].parameter], [400, 'cursor'], given)
      else t.regex(Buffer.from(given, 'base64url').toString(), /^keys:[\w-]{1,64}$/)
    }),
    { numRuns: 200 },
  )
})
