import test from 'ava'
import { DocumentMissing, WriteRefused } from '../domain/ports/documents.ts'
import { EventUnreadable, type RecordedEvent, Unavailable } from '../domain/ports/event-log.ts'
import { BuildGone } from '../domain/ports/projections.ts'
import { describe, isOfTheEvent, isPassing, NotApplicable } from './failure.ts'

const event = { stream: 'wallet-1', revision: 1n, position: 2n, type: 'T', metadata: {} } as RecordedEvent

test('an event is to blame for what would be the same for ever, and for nothing else', (t) => {
  const ofTheEvent = [
    new NotApplicable('x'),
    new EventUnreadable(event, 'x'),
    new DocumentMissing('wallets', 'w1'),
    new WriteRefused('wallets', 'duplicate_key'),
  ]
  for (const error of ofTheEvent) t.true(isOfTheEvent(error) && !isPassing(error), error.name)
  for (const error of [new Unavailable('mongodb'), new BuildGone('v1-1')]) t.true(isPassing(error) && !isOfTheEvent(error), error.name)
  for (const error of [new Error('not allowed'), 'thrown']) t.false(isPassing(error) || isOfTheEvent(error))
})

test('what is told of a failure says what kind it is and where, but nothing of the data', (t) => {
  const secret = 'correct horse\n    at battery staple'
  const failed = (() => {
    try {
      return BigInt(secret)
    } catch (cause) {
      return new NotApplicable('x', { cause })
    }
  })()
  t.regex(describe(failed), /^SyntaxError at .*BigInt/)
  t.notRegex(describe(failed), /horse|battery/)
  t.is(describe(new EventUnreadable(event, secret)), 'event_unreadable')
  t.is(describe(new DocumentMissing('wallets', secret)), 'document_missing')
  t.is(describe(new WriteRefused('wallets', '11000')), 'write_refused (11000)')
  t.is(describe(secret), 'string')
})
