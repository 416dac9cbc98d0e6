/** Transfers through providers that lose, delay, repeat and make up answers: what was signed once is sent until it is mined, and nothing is signed in its place. */
import anyTest, { type ExecutionContext } from 'ava'
import { type Fault, type FaultProxy, type RpcRequest, startFaultProxy } from '../chains/fault-proxy.ts'
import { type Bench, ETHER, STRANGER, startBench } from './bench.ts'

/** One after another: each has a node and a log of its own. */
const test = anyTest.serial

const STEPS = [
  'TransferRequested',
  'FundsReserved',
  'NonceAllocated',
  'TransferBuilt',
  'TransferSigned',
  'TransferBroadcast',
  'TransferConfirmed',
  'TransferFinalized',
  'FundsReleased',
]
const TIMEOUT_MS = 500
const SEND = 'eth_sendRawTransaction'
const quick = { timeoutMs: TIMEOUT_MS, deadlineMs: 4 * TIMEOUT_MS, retries: 1 }

/** Of what is asked by such a method, so often. */
function times(count: number, method: string, fault: Fault): FaultProxy['fault'] {
  let left = count
  return (request) => (request.method === method && left-- > 0 ? fault : undefined)
}

const rawsIn = (requests: readonly RpcRequest[]) => requests.filter(({ method }) => method === SEND).map(({ params }) => String(params[0]))

/** A transfer, made while the first provider is so, takes each step once, is signed once, and whatever is sent of it is the same. */
async function paysOnce(t: ExecutionContext, bench: Bench, proxies: readonly FaultProxy[], what: string, fault: FaultProxy['fault']) {
  const received = async () => (await bench.node.balance(STRANGER, bench.chain.nativeAsset)).amount
  const [paid, signed] = [await received(), bench.signer.signed.length]
  const transferId = await bench.request({ amount: 7n })
  for (const { requests } of proxies) requests.length = 0
  proxies[0]!.fault = fault
  await bench.reaches(transferId, 'finalized')
  proxies[0]!.fault = () => undefined
  // That it takes longer than usual may be said.
  const steps = (await bench.typesOf(transferId)).filter((type) => type !== 'TransferStuck')
  t.deepEqual([...new Set(steps)], STEPS, what)
  for (const once of ['TransferBuilt', 'TransferSigned', 'TransferConfirmed']) t.is(steps.filter((type) => type === once).length, 1, what)
  t.is(bench.signer.signed.length - signed, 1, what)
  t.is(new Set(proxies.flatMap(({ requests }) => rawsIn(requests))).size, 1, what)
  t.is((await received()) - paid, 7n, what)
}

test('behind the only provider, whatever becomes of its answers', async (t) => {
  let proxy!: FaultProxy
  const bench = await startBench(t, {
    // Its breaker is tried below; here it would make each of these wait.
    settings: { rpc: { ...quick, breaker: { minimumCalls: 10_000 } } },
    async endpointsOf(nodeUrl) {
      proxy = await startFaultProxy(nodeUrl)
      t.teardown(() => proxy.close())
      return [proxy.url]
    },
  })
  bench.coordinate()
  await bench.fund(ETHER)
  // What is looked for in vain is looked for again when the chain has moved.
  const mining = setInterval(() => void bench.anvil.mine(1), 250)
  t.teardown(() => clearInterval(mining))
  const refused = { kind: 'error', code: -32000, message: 'nonce too low' } as const
  for (const [what, fault] of [
    ['lost before it is sent', times(3, SEND, { kind: 'cut' })],
    ['lost after it was sent', times(3, SEND, { kind: 'lose-answer' })],
    ['later than it is waited for', times(3, SEND, { kind: 'delay', ms: 2 * TIMEOUT_MS })],
    ['ended in the middle', times(3, SEND, { kind: 'half-answer' })],
    ['no whole JSON', times(3, SEND, { kind: 'truncated-json' })],
    ['sent twice', times(1, SEND, { kind: 'twice' })],
    ['of another request', times(3, SEND, { kind: 'answer-of-another' })],
    ['too many requests', times(1, SEND, { kind: 'http', status: 429, headers: { 'retry-after': '1' } })],
    ['no service', times(3, SEND, { kind: 'http', status: 503 })],
    ['refused though it was not sent', times(2, SEND, refused)],
    ['a head of long ago', times(20, 'eth_blockNumber', { kind: 'result', result: '0x1' })],
    ['a count of long ago', times(4, 'eth_getTransactionCount', { kind: 'result', result: '0x0' })],
    ['no receipt, nor transaction', lagging(6)],
  ] as const)
    await paysOnce(t, bench, [proxy], what, fault)
  clearInterval(mining)
  await bench.reconciled(t)
})

/** A node that has not heard of anything sent to others. */
function lagging(count: number): FaultProxy['fault'] {
  const nothing = { kind: 'result', result: null } as const
  const [receipts, transactions] = [times(count, 'eth_getTransactionReceipt', nothing), times(count, 'eth_getTransactionByHash', nothing)]
  return (request) => receipts(request) ?? transactions(request)
}

test('behind two of them, of which one fails, or is of another chain', async (t) => {
  const proxies: FaultProxy[] = []
  const bench = await startBench(t, {
    settings: { rpc: { ...quick, breaker: { pauseMs: TIMEOUT_MS } } },
    async endpointsOf(nodeUrl) {
      for (let i = 0; i < 2; i++) proxies.push(await startFaultProxy(nodeUrl))
      t.teardown(() => Promise.all(proxies.map((proxy) => proxy.close())).then(() => {}))
      return proxies.map(({ url }) => url)
    },
  })
  bench.coordinate()
  await bench.fund(ETHER)
  await paysOnce(t, bench, proxies, 'the first takes it, and says nothing', times(1, SEND, { kind: 'lose-answer' }))
  // An endpoint is asked which chain it is of again once it has failed.
  let isAnother = false
  await paysOnce(t, bench, proxies, 'the first comes back as another chain', ({ method }) => {
    if (method !== 'eth_chainId') return isAnother ? undefined : { kind: 'cut' }
    isAnother = true
    return { kind: 'result', result: '0x1' }
  })
  t.true(isAnother)
  await paysOnce(t, bench, proxies, 'the first is away', () => ({ kind: 'cut' }))
  await bench.reconciled(t)
})
