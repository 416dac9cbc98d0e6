import test from 'ava'
import { createBacklog } from './backlog.ts'

function makeBacklog() {
  const backlog = createBacklog({ maxDebtors: 4, maxEach: 100, maxAll: 200 })
  const cut: string[] = []
  const add = (name: string) => {
    let waiting = 0
    const debtor = {
      pending: () => waiting,
      cutOff() {
        cut.push(name)
        backlog.leave(debtor)
      },
    }
    backlog.join(debtor)
    return (bytes: number) => {
      waiting += bytes
      backlog.grew(debtor)
    }
  }
  return { add, cut }
}

test('who has more waiting than anyone may is cut off', (t) => {
  const { add, cut } = makeBacklog()
  const grow = add('a')
  grow(100)
  t.deepEqual(cut, [])
  grow(1)
  t.deepEqual(cut, ['a'])
})

test('when all together have too much waiting, who has most is cut off, not who grew last', (t) => {
  const { add, cut } = makeBacklog()
  const [a, b, c] = [add('a'), add('b'), add('c')]
  a(60)
  b(80)
  c(60)
  t.deepEqual(cut, [])
  c(1)
  t.deepEqual(cut, ['b'])
  a(39)
  t.deepEqual(cut, ['b'])
})
