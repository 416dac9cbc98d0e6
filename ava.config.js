export default {
  files: ['dist/**/*.test.js'],
  timeout: '2m',
  nodeArguments: ['--enable-source-maps'],
}
