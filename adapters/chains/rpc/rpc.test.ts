import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import anyTest, { type ExecutionContext } from 'ava'
import { Registry } from 'prom-client'
import { ChainFailure } from '../../../domain/ports/chain-node.ts'
import { type Anvil, startAnvil } from '../../../test/chains/anvil.ts'
import { type Fault, type FaultProxy, KEY, startFaultProxy } from '../../../test/chains/fault-proxy.ts'
import type { Nodes, RpcObserver } from './endpoint.ts'
import { RpcRefusal } from './failures.ts'
import { rpcMetrics } from './metrics.ts'
import { openRpc, type Rpc } from './rpc.ts'
import { RPC_DEFAULTS, type RpcSettings } from './settings.ts'

const CHAIN = 'eip155:31337'
const NODES: Nodes = {
  identify: async (call) => `eip155:${Number(await call('eth_chainId'))}`,
  isUnable: ({ message }) => message === 'header not found',
}
const QUICK: RpcSettings = {
  ...RPC_DEFAULTS,
  timeoutMs: 2_000,
  deadlineMs: 20_000,
  retries: 0,
  maxResponseBytes: 10_000,
  breaker: { failureRate: 0.3, windowMs: 30_000, minimumCalls: 4, pauseMs: 300 },
}
const REFUSED: Fault = { kind: 'error', code: -32000, message: 'nonce too low' }

/** One after another: they go by the clock. */
const test = anyTest.serial

let anvil: Anvil
anyTest.before(async () => {
  anvil = await startAnvil()
})
anyTest.after.always(() => anvil.kill())

type Bench = { rpc: Rpc; proxies: readonly FaultProxy[]; told: string[]; registry: Registry }

/** So many endpoints with a node behind each. */
async function bench(t: ExecutionContext, count: number, settings: Partial<RpcSettings> = {}): Promise<Bench> {
  const proxies = await Promise.all(Array.from({ length: count }, () => startFaultProxy(anvil.url)))
  const registry = new Registry()
  const metrics = rpcMetrics(registry)
  const told: string[] = []
  const observer: RpcObserver = {
    called: metrics.called,
    changed(chain, endpoint, state) {
      metrics.changed(chain, endpoint, state)
      told.push(`${endpoint} ${state}`)
    },
  }
  const endpoints = proxies.map(({ url }) => url)
  const rpc = openRpc({ chain: CHAIN, endpoints, nodes: NODES, settings: { ...QUICK, ...settings }, observer })
  t.teardown(async () => {
    rpc.close()
    await Promise.all(proxies.map((proxy) => proxy.close()))
  })
  return { rpc, proxies, told, registry }
}

const head = (rpc: Rpc) => rpc.ask((call) => call('eth_blockNumber'))
const asked = (proxy: FaultProxy | undefined) => proxy!.requests.map(({ method }) => method)
const always = (fault: Fault) => () => fault
/** Not when asked which chain it is of. */
const at =
  (wanted: string, fault: Fault): FaultProxy['fault'] =>
  ({ method }) =>
    method === wanted ? fault : undefined

test('the first endpoint is asked alone as long as it answers, and once which chain it is of', async (t) => {
  const { rpc, proxies } = await bench(t, 2)
  t.is(await head(rpc), '0x0')
  await Promise.all([head(rpc), head(rpc)])
  t.deepEqual(asked(proxies[0]), ['eth_chainId', 'eth_blockNumber', 'eth_blockNumber', 'eth_blockNumber'])
  t.deepEqual(asked(proxies[1]), [])
})

for (const [what, fault] of [
  ['a connection that is cut', { kind: 'cut' }],
  ['a lost answer', { kind: 'lose-answer' }],
  ['half an answer', { kind: 'half-answer' }],
  ['JSON that ends in the middle', { kind: 'truncated-json' }],
  ['garbage', { kind: 'http', status: 200, body: '<html>' }],
  ['an answer to something else', { kind: 'http', status: 200, body: '{"jsonrpc":"2.0","id":"1","result":"0x5"}' }],
  ['neither result nor error', { kind: 'http', status: 200, body: '{"jsonrpc":"2.0","id":1}' }],
  ['no object', { kind: 'http', status: 200, body: 'null' }],
  ['an answer that is too long', { kind: 'http', status: 200, body: `{"id":2,"result":"0x0"}${' '.repeat(20_000)}` }],
  ['an internal error', { kind: 'http', status: 500, body: 'oops' }],
  ['a key that is not good any more', { kind: 'http', status: 401, body: '{}' }],
  ['a redirection', { kind: 'http', status: 307, headers: { location: 'http://127.0.0.1:9/' } }],
  ['too many requests', { kind: 'http', status: 429 }],
  ['a limit that is told in JSON', { kind: 'error', code: -32005, message: 'daily quota' }],
  ['a limit that is told in words', { kind: 'error', code: -32000, message: 'Your app has exceeded its compute units per second' }],
  ['an answer too late', { kind: 'delay', ms: 30_000 }],
  ['an error without words', { kind: 'http', status: 200, body: '{"jsonrpc":"2.0","id":2,"error":{"code":"x"}}' }],
  ['a node that is behind', { kind: 'error', code: -32000, message: 'header not found' }],
] as const satisfies readonly (readonly [string, Fault])[]) {
  test(`after ${what} the next endpoint is asked`, async (t) => {
    const { rpc, proxies } = await bench(t, 2)
    proxies[0]!.fault = at('eth_blockNumber', fault)
    t.is(await head(rpc), '0x0')
    t.deepEqual(asked(proxies[0]), ['eth_chainId', 'eth_blockNumber'])
    t.deepEqual(asked(proxies[1]), ['eth_chainId', 'eth_blockNumber'])
  })
}

test('what has to be of one chain is asked of one endpoint, and from the beginning when that fails', async (t) => {
  const { rpc, proxies } = await bench(t, 2)
  proxies[0]!.fault = at('eth_gasPrice', { kind: 'cut' })
  let began = 0
  await rpc.ask(async (call) => {
    began++
    await call('eth_blockNumber')
    return call('eth_gasPrice')
  })
  t.is(began, 2)
  t.deepEqual(asked(proxies[1]), ['eth_chainId', 'eth_blockNumber', 'eth_gasPrice'])
})

test("a node's own error is not asked for twice", async (t) => {
  const { rpc, proxies } = await bench(t, 2, { retries: 3 })
  for (const proxy of proxies) proxy.fault = at('eth_blockNumber', REFUSED)
  const error = await t.throwsAsync(head(rpc), { instanceOf: RpcRefusal, message: 'nonce too low' })
  t.is(error?.code, -32000)
  t.deepEqual(asked(proxies[0]), ['eth_chainId', 'eth_blockNumber'])
  t.deepEqual(asked(proxies[1]), [])
})

test('when none answers all are tried again after a while', async (t) => {
  const { rpc, proxies } = await bench(t, 2, { retries: 1 })
  for (const proxy of proxies)
    proxy.fault = ({ method }) => (method === 'eth_blockNumber' && asked(proxy).length < 3 ? { kind: 'cut' } : undefined)
  t.is(await head(rpc), '0x0')
  t.is(asked(proxies[1]).filter((method) => method === 'eth_blockNumber').length, 1)
})

test('an endpoint of another chain is asked nothing else, and no other is taken for it', async (t) => {
  const { rpc, proxies, told } = await bench(t, 2)
  proxies[0]!.fault = at('eth_chainId', { kind: 'result', result: '0x5' })
  t.is(await head(rpc), '0x0')
  await head(rpc)
  t.deepEqual(asked(proxies[0]), ['eth_chainId'])
  t.deepEqual(told, ['0 wrong_chain', '1 up'])
})

test('an endpoint that turns into one of another chain while it was away is found out', async (t) => {
  const { rpc, proxies } = await bench(t, 2)
  await head(rpc)
  proxies[0]!.fault = always({ kind: 'cut' })
  await head(rpc)
  proxies[0]!.fault = at('eth_chainId', { kind: 'result', result: '0x5' })
  await head(rpc)
  t.deepEqual(asked(proxies[0]).slice(2), ['eth_blockNumber', 'eth_chainId'])
})

test('a limit is kept to for as long as the endpoint says', async (t) => {
  const { rpc, proxies, told } = await bench(t, 2)
  proxies[0]!.fault = at('eth_blockNumber', { kind: 'http', status: 429, headers: { 'retry-after': '1' } })
  const limitedAt = Date.now()
  await head(rpc)
  proxies[0]!.fault = () => undefined
  const before = proxies[0]!.requests.length
  while (proxies[0]!.requests.length === before) await head(rpc)
  t.true(Date.now() - limitedAt >= 1_000)
  // It is no failure of the endpoint.
  t.false(told.includes('0 down'))
})

test('an endpoint that fails too often is left alone for a while, then tried with one request, and asked first again', async (t) => {
  const { rpc, proxies, told } = await bench(t, 2, { breaker: { ...QUICK.breaker, pauseMs: 4_000 } })
  proxies[0]!.fault = always({ kind: 'cut' })
  for (let call = 0; call < 10; call++) await head(rpc)
  t.is(proxies[0]!.requests.length, QUICK.breaker.minimumCalls)
  t.deepEqual(told, ['1 up', '0 down'])
  proxies[0]!.fault = () => undefined
  while (!told.includes('0 up')) await head(rpc)
  const others = proxies[1]!.requests.length
  await head(rpc)
  t.is(proxies[1]!.requests.length, others)
})

test('while it is tried again nobody waits for it', async (t) => {
  const { rpc, proxies } = await bench(t, 2)
  const [first] = proxies
  first!.fault = always({ kind: 'cut' })
  for (let call = 0; call < 10; call++) await head(rpc)
  first!.fault = always({ kind: 'delay', ms: 60_000 })
  const before = first!.requests.length
  let trial: Promise<unknown> = Promise.resolve()
  const startedAt = Date.now()
  while (first!.requests.length === before) {
    trial = head(rpc)
    await Promise.race([trial, new Promise((resolve) => setTimeout(resolve, 20))])
    if (Date.now() - startedAt > 30_000) return t.fail('it is not tried again')
  }
  let isOver = false
  const over = trial.finally(() => {
    isOver = true
  })
  await head(rpc)
  t.false(isOver)
  await over
})

test('what is sent is sent again in the same words, and a refusal tells that it may be late', async (t) => {
  const { rpc, proxies } = await bench(t, 2)
  proxies[0]!.fault = at('eth_sendRawTransaction', { kind: 'lose-answer' })
  proxies[1]!.fault = at('eth_sendRawTransaction', REFUSED)
  const error = await t.throwsAsync(rpc.send('eth_sendRawTransaction', ['0x1234']), { instanceOf: RpcRefusal })
  t.true(error?.mayBeDone)
  t.deepEqual(
    proxies.map(({ requests }) => requests.at(-1)?.params),
    [['0x1234'], ['0x1234']],
  )
})

for (const [what, fault, mayBeDone] of [
  ['an endpoint that did not get it', { kind: 'http', status: 429 }, false],
  ['one that refused it unread', { kind: 'http', status: 403 }, false],
  ['one that may have passed it on', { kind: 'http', status: 502 }, true],
  ['one that answered garbage', { kind: 'http', status: 200, body: 'ok' }, true],
] as const) {
  test(`after ${what} a refusal is ${mayBeDone ? 'not' : ''} the last word`, async (t) => {
    const { rpc, proxies } = await bench(t, 2)
    proxies[0]!.fault = at('eth_sendRawTransaction', fault)
    proxies[1]!.fault = at('eth_sendRawTransaction', REFUSED)
    const error = await t.throwsAsync(rpc.send('eth_sendRawTransaction', ['0x12']), { instanceOf: RpcRefusal })
    t.is(error?.mayBeDone, mayBeDone)
    proxies[1]!.fault = at('eth_sendRawTransaction', { kind: 'http', status: 403 })
    const failure = await t.throwsAsync(rpc.send('eth_sendRawTransaction', ['0x12']), { instanceOf: ChainFailure })
    t.is(failure?.isRefusal, !mayBeDone)
  })
}

test('where nobody listens nothing has been sent', async (t) => {
  const rpc = openRpc({ chain: CHAIN, endpoints: ['http://127.0.0.1:1/secret'], nodes: NODES, settings: QUICK, observer: silent })
  const error = await t.throwsAsync(rpc.send('eth_sendRawTransaction', ['0x12']), { instanceOf: ChainFailure })
  t.like(error, { code: 'chain_unavailable', isRefusal: true })
})

test('no error says what is in a URL, nor what a node repeats of it', async (t) => {
  const { rpc, proxies } = await bench(t, 1)
  proxies[0]!.fault = at('eth_blockNumber', {
    kind: 'error',
    code: -32000,
    message: `project ${KEY} at ${proxies[0]!.url}\n\u001b[31mhas no access`,
  })
  const refusal = await t.throwsAsync(head(rpc), { instanceOf: RpcRefusal })
  t.is(refusal?.message, 'project … at … [31mhas no access')
  proxies[0]!.fault = always({ kind: 'cut' })
  const failure = await t.throwsAsync(head(rpc), { instanceOf: ChainFailure })
  t.is(failure?.message, 'no endpoint of eip155:31337 answers: endpoint 0: unreachable')
  t.is(failure?.cause, undefined)
})

test('words of a node are shortened', async (t) => {
  const { rpc, proxies } = await bench(t, 1)
  proxies[0]!.fault = at('eth_blockNumber', { kind: 'error', code: -32000, message: 'x'.repeat(5_000) })
  t.is((await t.throwsAsync(head(rpc), { instanceOf: RpcRefusal }))?.message.length, 200)
})

test('everything ends with the deadline', async (t) => {
  const { rpc, proxies } = await bench(t, 2, { timeoutMs: 400, deadlineMs: 600, retries: 100 })
  for (const proxy of proxies) proxy.fault = always({ kind: 'delay', ms: 60_000 })
  const startedAt = Date.now()
  const error = await t.throwsAsync(head(rpc), { instanceOf: ChainFailure })
  t.is(error?.code, 'chain_unavailable')
  t.true(Date.now() - startedAt < 15_000)
})

test('what is under way ends when it is closed', async (t) => {
  const { rpc, proxies } = await bench(t, 1, { timeoutMs: 60_000, deadlineMs: 60_000 })
  proxies[0]!.fault = always({ kind: 'delay', ms: 30_000 })
  const pending = head(rpc)
  rpc.close()
  await t.throwsAsync(pending, { instanceOf: ChainFailure, message: /closed/ })
  await t.throwsAsync(head(rpc), { instanceOf: ChainFailure, message: /closed/ })
})

test('it is closed also while it waits to try again', async (t) => {
  const { rpc, proxies } = await bench(t, 1, { retries: 10, deadlineMs: 60_000 })
  proxies[0]!.fault = always({ kind: 'cut' })
  const pending = head(rpc)
  while (proxies[0]!.requests.length < 5) await new Promise((resolve) => setTimeout(resolve, 10))
  const closedAt = Date.now()
  rpc.close()
  await t.throwsAsync(pending, { instanceOf: ChainFailure, message: /closed|unreachable|circuit_open/ })
  // The fifth pause is of two and a half seconds at least.
  t.true(Date.now() - closedAt < 2_400)
})

test('no more requests than may be are under way with an endpoint at once', async (t) => {
  const { rpc, proxies } = await bench(t, 1, { concurrency: 2 })
  const [proxy] = proxies
  let [underWay, most] = [0, 0]
  proxy!.fault = () => {
    most = Math.max(most, ++underWay)
    setTimeout(() => underWay--, 45)
    return { kind: 'delay', ms: 50 }
  }
  await Promise.all(Array.from({ length: 10 }, () => head(rpc)))
  t.is(most, 2)
})

test('all are asked, and those that fail are left out', async (t) => {
  const { rpc, proxies } = await bench(t, 3)
  proxies[1]!.fault = at('eth_blockNumber', { kind: 'cut' })
  proxies[2]!.fault = at('eth_blockNumber', { kind: 'result', result: '0x7' })
  t.deepEqual(await rpc.askAll((call) => call('eth_blockNumber')), ['0x0', '0x7'])
  for (const proxy of proxies) proxy.fault = always({ kind: 'cut' })
  await t.throwsAsync(
    rpc.askAll((call) => call('eth_blockNumber')),
    { instanceOf: ChainFailure, message: /endpoint 2: unreachable/ },
  )
})

test('metrics name endpoints by their place', async (t) => {
  const { rpc, proxies, registry } = await bench(t, 2)
  proxies[0]!.fault = at('eth_blockNumber', { kind: 'cut' })
  await head(rpc)
  const text = await registry.metrics()
  t.regex(text, /quorate_rpc_calls_total\{chain="eip155:31337",endpoint="0",outcome="failed"\} 1/)
  t.regex(text, /quorate_rpc_errors_total\{chain="eip155:31337",endpoint="0",code="unreachable"\} 1/)
  t.regex(text, /quorate_rpc_calls_total\{chain="eip155:31337",endpoint="1",outcome="answered"\} 2/)
  t.regex(text, /quorate_rpc_endpoint_up\{chain="eip155:31337",endpoint="1"\} 1/)
  t.notRegex(text, /127\.0\.0\.1|c0ffee/)
})

test('a name and password in the URL are sent as such, and old answers with an empty error are read', async (t) => {
  const headers: (string | undefined)[] = []
  const server = createServer((request, response) => {
    headers.push(request.headers.authorization)
    request.on('data', (body) => {
      const { id, method } = JSON.parse(String(body)) as { id: number; method: string }
      response.end(JSON.stringify({ result: method === 'eth_chainId' ? '0x7a69' : 'done', error: null, id }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://name:p%40ss@127.0.0.1:${(server.address() as AddressInfo).port}`
  const rpc = openRpc({ chain: CHAIN, endpoints: [endpoint], nodes: NODES, settings: QUICK, observer: silent })
  t.is(await head(rpc), 'done')
  t.is(headers[0], `Basic ${Buffer.from('name:p@ss').toString('base64')}`)
  server.closeAllConnections()
  server.close()
})

const silent: RpcObserver = { called: () => {}, changed: () => {} }
