export default {
  files: ['dist/**/*.test.js'],
  timeout: '2m',
  nodeArguments: ['--enable-source-maps'],
  // Worker threads have an environment of their own, which native PKCS#11 modules do not see.
  workerThreads: false,
}
