import { availableParallelism } from 'node:os'
import { allFiles, inSharedProcesses, testFiles } from './test/shared-process.mjs'

/** What takes minutes and is left to `npm run test:ceremonies`. */
const LONG = [
  'dist/domain/wallet/transfers/bounded-state.test.js',
  'dist/domain/threshold/frost/every-size.test.js',
  'dist/domain/threshold/life-of-a-key/*.test.js',
  'dist/domain/threshold/dkls23/{adversary,joint-sharing,key-material}.test.js',
  'dist/test/ceremony/{faults,joint-signing,kill-at-every-step,many-sessions,presignatures,recovery,refresh,scale,share-store-killed}.test.js',
  'dist/test/attacks/*.test.js',
  'dist/test/faults/*.test.js',
  'dist/test/backup/*.test.js',
  'dist/test/conformance/eventstore/*.test.js',
  'dist/test/crash/*.test.js',
  'dist/test/end-to-end/{approvals,bitcoin,killed-log,life-of-a-key,loss-of-parties,power-cut,privacy,restored-party,scavenging,solana-transfers,supervision}.test.js',
  'dist/test/end-to-end/{told-and-proved,transfers,webhooks}.test.js',
  'dist/test/projections/{exactly-once,outage}.test.js',
  'dist/test/transfers/*.test.js',
  'dist/test/outage/outage.test.js',
  'dist/audit/archive/crash.test.js',
  'dist/queries/streams/stalled-readers.test.js',
  'dist/scripts/bench/bench.test.js',
]
/** What `one-system.test.js` and `told-and-proved.test.js` run over one system each. */
const ONE_SYSTEM = ['dist/test/end-to-end/{accounts,ethereum-payloads,first-signature,history,proofs}.test.js']
/** Of random cases there are more in the long run. */
const IN_BOTH = [
  'dist/adapters/chains/bitcoin/transactions.test.js',
  'dist/adapters/embedded/eventstore/log/recovery.test.js',
  'dist/adapters/embedded/mongodb/{bson/codec,commands/dispatch,query/sort-key}.test.js',
  'dist/adapters/{eventstore/read-response,nats/ceremony-codec,nats/envelope}.test.js',
  'dist/domain/{json/canonical-json,threshold/dkls23/dkls23}.test.js',
]

const matching = (patterns) => {
  const alternatives = patterns.map((pattern) =>
    pattern
      .replaceAll('.', '\\.')
      .replaceAll('*', '[^/]*')
      .replaceAll(/\{(.*?)\}/g, (_, names) => `(${names.replaceAll(',', '|')})`),
  )
  const matches = new RegExp(`^(${alternatives.join('|')})$`)
  return (file) => matches.test(file)
}
const isLong = matching([...LONG, ...IN_BOTH])
const isLeftOut = matching([...LONG, ...ONE_SYSTEM])

/** Files that are named run as they are, each in a process of its own. */
const areNamed = process.argv.some((argument) => argument.endsWith('.test.js'))

const FILES = {
  short: () => inSharedProcesses(testFiles().filter((file) => !isLeftOut(file))),
  ceremonies: () => testFiles().filter(isLong),
  all: testFiles,
}

/** What takes longest of all begins first: begun last, it would keep one core busy while the others have nothing left to do. */
const FIRST =
  /\/(life-of-a-key\/dkls23-[a-z-]+|dkls23\/(adversary|dkls23)|ceremony\/(kill-at-every-step|recovery|refresh|scale)|faults\/faults|end-to-end\/one-system|shared-process\/[a-z0-9-]+)\.test\.js$/
const rank = (file) => (FIRST.test(file) ? 0 : 1)

/** ava has every process read the source maps of all that it loads, which takes a tenth of the whole run: that is left to whoever looks for a fault. */
const NO_SOURCE_MAPS = '--import=data:text/javascript,process.setSourceMapsEnabled(false)'
const ONE_AT_A_TIME = `--import=${new URL('test/one-at-a-time.mjs', import.meta.url)}`

const run = process.env.QUORATE_TESTS ?? 'short'

export default {
  files: areNamed ? allFiles() : FILES[run](),
  sortTestFiles: (a, b) => rank(a) - rank(b) || a.localeCompare(b),
  // Tests that share a process wait one after the other, most of their time. Of the long ones many have a whole system each, which is work for all cores.
  concurrency: availableParallelism() + (run === 'short' ? 1 : 0),
  // Synchronous tests are heard of all at once, when a whole process of them is done.
  timeout: '5m',
  nodeArguments: process.env.QUORATE_TEST_SOURCE_MAPS ? [ONE_AT_A_TIME] : [ONE_AT_A_TIME, NO_SOURCE_MAPS],
  // Worker threads have an environment of their own, which native PKCS#11 modules do not see.
  workerThreads: false,
}
