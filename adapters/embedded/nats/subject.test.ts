import test from 'ava'
import { isLiteral, isSubscribable } from './subject.ts'

test('a subject is tokens parted by single dots', (t) => {
  for (const subject of ['a', 'a.b', 'größe.鍵', 'a*', '>a', 'a*b.c>']) t.true(isLiteral(subject) && isSubscribable(subject), subject)
  for (const subject of ['', '.', '.a', 'a.', 'a..b']) t.false(isLiteral(subject) || isSubscribable(subject), subject)
})

test('wildcards may be subscribed to, but not published to', (t) => {
  for (const subject of ['*', '>', 'a.*', '*.a', 'a.*.>', '*.*']) t.true(isSubscribable(subject) && !isLiteral(subject), subject)
})

test('what stands for the rest must come last', (t) => {
  for (const subject of ['>.a', 'a.>.b', '>.>']) t.false(isSubscribable(subject) || isLiteral(subject), subject)
})

test('a subject has 64 tokens at most', (t) => {
  t.true(isSubscribable(Array(64).fill('a').join('.')))
  t.false(isSubscribable(Array(65).fill('a').join('.')))
})
