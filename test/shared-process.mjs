/** Which test files share a process in a run of all of them: a process of its own costs half a second before its first test, more than most of these take. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const DIST = 'dist'
const ENTRIES = 'dist/shared-process'
/** Nothing else can come in between the tests of such a file, so none can be in the way of another file's: whatever waits, has hooks, imports another test or leaves its process keeps one of its own. */
const NOT_SYNCHRONOUS =
  /\b(async|await|Promise|setTimeout|setInterval|setImmediate|child_process)\b|\.(before|after)(Each)?\b|\.test\.js'|process\.env/
/** By where they are; a file goes to the first. */
const GROUPS = ['domain', 'adapters', 'test', '']
/** Busy for seconds, each of them: there is nothing to be had from sharing. */
const BUSY = join(DIST, 'domain/threshold')

/** All test files, as `ava` calls them; none before the first build. */
export const testFiles = () =>
  existsSync(DIST)
    ? readdirSync(DIST, { recursive: true })
        .filter((file) => file.endsWith('.test.js') && !join(DIST, file).startsWith(ENTRIES))
        .map((file) => join(DIST, file))
        .sort()
    : []

/** Those files again, with one file for each group of synchronous ones in place of these. Test titles of a group have to differ. */
export function inSharedProcesses(files) {
  const synchronous = files.filter((file) => !file.startsWith(BUSY) && !NOT_SYNCHRONOUS.test(readFileSync(file, 'utf8')))
  const groupOf = (file) => GROUPS.find((folder) => relative(DIST, file).startsWith(folder))
  const entries = GROUPS.map((folder) => {
    const entry = join(ENTRIES, `${folder.replaceAll('/', '-') || 'others'}.test.js`)
    const imports = synchronous.filter((file) => groupOf(file) === folder).map((file) => `import '${relative(ENTRIES, file)}'\n`)
    mkdirSync(dirname(entry), { recursive: true })
    writeFileSync(entry, imports.join(''))
    return entry
  })
  return [...entries, ...files.filter((file) => !synchronous.includes(file))]
}
