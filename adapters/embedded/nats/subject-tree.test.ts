import test from 'ava'
import fc from 'fast-check'
import { isSubscribable } from './subject.ts'
import { createSubjectTree } from './subject-tree.ts'

const pattern = fc.array(fc.constantFrom('a', 'b', 'c', '*', '>'), { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'))
const subscription = fc.record({ subject: pattern.filter(isSubscribable), queue: fc.option(fc.constantFrom('q', 'r'), { nil: undefined }) })
const published = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join('.'))

/** The definition of a match, token by token. */
function matches(subscribed: string, subject: string): boolean {
  const [first, ...rest] = subscribed.split('.')
  const [token, ...tokens] = subject.split('.')
  if (first === '>') return true
  if (first !== '*' && first !== token) return false
  if (rest.length === 0 || tokens.length === 0) return rest.length === tokens.length
  return matches(rest.join('.'), tokens.join('.'))
}

test('the tree finds what a scan of all subscriptions would, whatever came and went before', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(subscription, fc.boolean()), { maxLength: 30 }), published, (history, subject) => {
      const tree = createSubjectTree<number>()
      for (const [index, [{ subject, queue }]] of history.entries()) tree.insert(subject, queue, index)
      for (const [index, [{ subject, queue }, leaves]] of history.entries()) if (leaves) tree.remove(subject, queue, index)
      const expected = [...history.entries()].filter(([, [{ subject: subscribed }, leaves]]) => !leaves && matches(subscribed, subject))
      const members = (name: string | undefined) => expected.filter(([, [{ queue }]]) => queue === name).map(([index]) => index)
      const { plain, groups } = tree.match(subject)
      const sorted = (values: number[] = []) => values.sort((one, other) => one - other)
      t.deepEqual(sorted(plain), members(undefined))
      t.deepEqual(sorted(groups.get('q')), members('q'))
      t.deepEqual(sorted(groups.get('r')), members('r'))
    }),
  )
})

test('a subject with an empty token matches nothing', (t) => {
  const tree = createSubjectTree<number>()
  tree.insert('>', undefined, 1)
  for (const subject of ['', '.', 'a..b', 'a.', '.a']) t.deepEqual(tree.match(subject).plain, [], subject)
})

test('removing what is not there changes nothing', (t) => {
  const tree = createSubjectTree<number>()
  tree.insert('a.b', undefined, 1)
  tree.remove('a.b.c', undefined, 1)
  tree.remove('a.b', 'queue', 1)
  tree.remove('a', undefined, 1)
  t.deepEqual(tree.match('a.b').plain, [1])
})
