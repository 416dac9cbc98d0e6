import test from 'ava'
import { readReport } from './report.ts'

const FILES = [
  'dist/domain/uuid.test.js',
  'dist/shared-process/test-waiting-1.test.js',
  'dist/test/exits.test.js',
  'dist/test/fails.test.js',
  'dist/test/fails/late.test.js',
  'dist/well.test.js',
]

/** As ava 7 printed it. */
const PRINTED = `
  ✔ domain › uuid › a name has the UUID of RFC 9562, appendix A.4
    ℹ ✘ [fail]: this is what a test says
  ✔ domain › uuid › it is the one that others find
  - [skip] well › this takes a server
  ✘ No tests found in dist/test/empty.test.js
  ✘ Exiting due to process.exit() when running dist/test/exits.test.js

  Error: Unexpected process.exit()
      at file:///src/dist/domain/uuid.test.js:2:35

  ✘ [fail]: shared-process › waiting-1 › in a process with others
  ✔ test › fails › good
  ✔ test › fails › late › in time
  ✘ [fail]: test › fails › it is › not so
  ✘ dist/test/killed.test.js exited due to SIGKILL
  ✘ [fail]: test › fails › late › never Promise returned by test never resolved

  Unhandled rejection in dist/test/rejects.test.js

  dist/well.test.js:2

   1: import test from 'ava'

  ✘ Timed out while running tests

  1 tests were pending in dist/test/hangs.test.js

  ◌ test › hangs › hang

  Failed to exit when running dist/test/open.test.js

  ─

  test › fails › it is › not so

  dist/test/fails.test.js:3

  2 tests failed
`

test('the files are named of which anything went wrong, and what passed in the others is counted', (t) => {
  const { failed, ...others } = readReport(PRINTED, FILES)
  t.deepEqual(failed.sort(), [
    'dist/shared-process/test-waiting-1.test.js',
    ...['empty', 'exits', 'fails', 'fails/late', 'hangs', 'killed', 'open', 'rejects'].map((name) => `dist/test/${name}.test.js`),
  ])
  t.deepEqual(others, { passed: 2, skipped: 1 })
})

test('colours are no part of it', (t) => {
  const coloured = PRINTED.replaceAll('✔', '\u001b[32m✔\u001b[39m').replaceAll('✘ [fail]:', '\u001b[31m✘ [fail]:\u001b[39m')
  t.deepEqual(readReport(coloured, FILES), readReport(PRINTED, FILES))
})

test('a run that did not come to its end says nothing of what was not run', (t) => {
  t.throws(() => readReport(PRINTED.replace('  ─\n', ''), FILES), { message: /did not come to its end/ })
})

test('a test that is of no file is not passed over', (t) => {
  t.throws(() => readReport(PRINTED, FILES.slice(0, 3)), { message: /none of the files: well ›/ })
})
