/** Which test files share a process in a run of all of them: a process of its own costs up to a second and a half before its first test, more than most of these take. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const DIST = 'dist'
const ENTRIES = 'dist/shared-process'

/** What the others in a process would notice, though tests run one at a time: hooks for every test, tests declared late, changes of the process or what it goes by; and who measures the memory of all. */
const ALONE =
  /\.(before|after)Each\b|^(?!.*\basync\b)\S.*\bawait\b|\bprocess\.env\.\w+ = |assign\(process\.env|\bprocess\.env\.QUORATE_|memoryUsage|setFlagsFromString|^import '.*\.test\.js'/m
/** Who imports this is evaluated when it is ready, one after the other, and others before that: ava wants all tests of a process declared in one go. */
const AWAITED = /from '(\.\.\/)+transactions\.js'/
/** Bring up whole systems, or are busy for seconds each: there is nothing to be had from sharing. */
const BUSY = /^test\/(chains|conformance|contract|crash|end-to-end|projections|transfers)\//
/** By where they are; a file goes to the first. */
const GROUPS = ['domain/threshold', 'domain', 'adapters', 'test', '']
/** Of tests that wait a process has those of so many files, since whatever they bring up in a `before` is there until all are done. */
const WAITS = /\b(async|await|Promise|setTimeout|setInterval|setImmediate)\b/
const WAITING_FILES = 8

/** All test files, as `ava` calls them, those that only import others among them; none before the first build. */
export const allFiles = () =>
  existsSync(DIST)
    ? readdirSync(DIST, { recursive: true })
        .filter((file) => file.endsWith('.test.js'))
        .map((file) => join(DIST, file))
        .sort()
    : []

/** Without those. */
export const testFiles = () => allFiles().filter((file) => !file.startsWith(ENTRIES))

/** Those files again, with one file for each group that shares a process in place of these. Test titles of a group have to differ. */
export function inSharedProcesses(files) {
  const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))
  const waits = (file) => WAITS.test(sources.get(file))
  const sharing = files.filter((file) => !ALONE.test(sources.get(file)) && !BUSY.test(relative(DIST, file)))
  const groupOf = (file) => GROUPS.find((folder) => relative(DIST, file).startsWith(folder))
  mkdirSync(ENTRIES, { recursive: true })
  const entries = GROUPS.flatMap((folder) => {
    const own = sharing.filter((file) => groupOf(file) === folder)
    const isLate = (file) => AWAITED.test(sources.get(file))
    const waiting = own.filter(waits)
    const parts = [waiting.filter((file) => !isLate(file)), waiting.filter(isLate)].flatMap(inParts)
    return [own.filter((file) => !waits(file)), ...parts].flatMap((imported, part) => {
      if (imported.length === 0) return []
      const entry = join(ENTRIES, `${folder.replaceAll('/', '-') || 'others'}${part === 0 ? '' : `-waiting-${part}`}.test.js`)
      writeFileSync(entry, imported.map((file) => `import '${relative(ENTRIES, file)}'\n`).join(''))
      return entry
    })
  })
  return [...entries, ...files.filter((file) => !sharing.includes(file))]
}

/** As few parts of equal length as may be. */
function inParts(files) {
  const count = Math.ceil(files.length / WAITING_FILES)
  const end = (part) => Math.round((part * files.length) / count)
  return Array.from({ length: count }, (_, part) => files.slice(end(part), end(part + 1)))
}
