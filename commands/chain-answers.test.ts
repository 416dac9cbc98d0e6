import test from 'ava'
import { DomainError } from '../domain/domain-error.ts'
import { ChainFailure } from '../domain/ports/chain-node.ts'
import { answerOf, requireNode } from './chain-answers.ts'

const patient = new AbortController().signal
const silence = new Promise<never>(() => {})
const unavailable = { instanceOf: DomainError, code: 'chain_unavailable' } as const

test('an answer is handed on, and what a node refuses is told in words of this side', async (t) => {
  t.is(await answerOf(Promise.resolve(5), patient), 5)
  const error = await t.throwsAsync(answerOf(Promise.reject(new ChainFailure('dust', 'too little', true)), patient), {
    code: 'dust',
  } as object)
  t.is((error as DomainError).pointer, '/amount')
  await t.throwsAsync(answerOf(Promise.reject(new ChainFailure('nonce_too_low', '', true)), patient), unavailable)
  await t.throwsAsync(answerOf(Promise.reject(new TypeError('a mistake')), patient), { instanceOf: TypeError })
})

test('nobody waits for ever for a chain that does not answer', async (t) => {
  await t.throwsAsync(answerOf(silence, patient, 5), unavailable)
  await t.throwsAsync(answerOf(silence, AbortSignal.abort()), unavailable)
  const gone = new AbortController()
  const asked = answerOf(silence, gone.signal)
  gone.abort()
  await t.throwsAsync(asked, unavailable)
})

test('a chain without endpoints is not asked', (t) => {
  t.throws(() => requireNode(new Map(), 'eip155:1'), { instanceOf: DomainError, code: 'chain_not_connected' })
})
