/** What takes minutes and is left to `npm run test:ceremonies`. */
const LONG = [
  'dist/domain/threshold/life-of-a-key.test.js',
  'dist/test/ceremony/{faults,kill-at-every-step,many-sessions,presignatures,recovery,refresh,scale}.test.js',
  'dist/test/attacks/{concurrent-sessions-ros,invalid-share,lying-recovery-helper,nonce-reuse-after-crash,selective-abort}.test.js',
  'dist/test/faults/*.test.js',
  'dist/test/transfers/many-transfers.test.js',
  'dist/test/end-to-end/{life-of-a-key,power-cut,restored-party}.test.js',
  'dist/test/outage/outage.test.js',
  'dist/scripts/bench/bench.test.js',
]
const FILES = {
  short: ['dist/**/*.test.js', ...LONG.map((pattern) => `!${pattern}`)],
  ceremonies: ['dist/test/{ceremony,attacks,faults}/*.test.js', ...LONG],
  all: ['dist/**/*.test.js'],
}

export default {
  files: FILES[process.env.QUORATE_TESTS ?? 'short'],
  timeout: '2m',
  nodeArguments: ['--enable-source-maps'],
  // Worker threads have an environment of their own, which native PKCS#11 modules do not see.
  workerThreads: false,
}
