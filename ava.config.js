/** What takes minutes and is left to `npm run test:ceremonies`. */
const LONG = [
  'dist/domain/threshold/life-of-a-key/*.test.js',
  'dist/domain/threshold/dkls23/{adversary,joint-sharing}.test.js',
  'dist/test/ceremony/{faults,kill-at-every-step,many-sessions,presignatures,recovery,refresh,scale}.test.js',
  'dist/test/attacks/{concurrent-sessions-ros,corrupted-multiplication,false-accusation,invalid-share,lying-recovery-helper,nonce-reuse-after-crash,selective-abort}.test.js',
  'dist/test/faults/*.test.js',
  'dist/test/end-to-end/{bitcoin,killed-log,life-of-a-key,power-cut,restored-party,solana-transfers}.test.js',
  'dist/test/transfers/{many-*,real-parties}.test.js',
  'dist/test/outage/outage.test.js',
  'dist/scripts/bench/bench.test.js',
]
const FILES = {
  short: ['dist/**/*.test.js', ...LONG.map((pattern) => `!${pattern}`)],
  ceremonies: ['dist/test/{ceremony,attacks,faults}/*.test.js', ...LONG],
  all: ['dist/**/*.test.js'],
}

/** What takes longest of all begins first: begun last, it would keep one core busy while the others have nothing left to do. */
const FIRST =
  /\/(life-of-a-key\/dkls23-[a-z-]+|dkls23\/(adversary|dkls23)|ceremony\/(kill-at-every-step|recovery|refresh|scale)|faults\/faults)\.test\.js$/
const rank = (file) => (FIRST.test(file) ? 0 : 1)

export default {
  files: FILES[process.env.QUORATE_TESTS ?? 'short'],
  sortTestFiles: (a, b) => rank(a) - rank(b) || a.localeCompare(b),
  timeout: '2m',
  nodeArguments: ['--enable-source-maps'],
  // Worker threads have an environment of their own, which native PKCS#11 modules do not see.
  workerThreads: false,
}
