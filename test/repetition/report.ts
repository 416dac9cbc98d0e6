import { stripVTControlCharacters } from 'node:util'

/** What a run of ava came to, by what its default reporter has printed. */
export type Report = {
  /** Files of which anything went wrong. */
  failed: string[]
  /** Of all other files. */
  passed: number
  skipped: number
}

/** The rule that ava draws when it has run everything. */
const END = /^ *─$/m
const TEST = /^ *(?:(?<passed>[✔✓])|[✘×] (?<failed>\[fail\]):|- (?<skipped>\[skip\])) (?<title>.*)$/
/** As ava says that something is wrong with a file, not with one of its tests. */
const BROKEN =
  /^ *(?:[✘×] .*|Uncaught exception in |Unhandled rejection in |Failed to exit when running |\d+ tests were pending in )\b(?<file>dist\/\S+\.test\.js)\b/

/**
 * @param files all that may have been run, from the root of the project
 * @throws Error when the run did not come to its end, or a test is of none of the files
 */
export function readReport(printed: string, files: readonly string[]): Report {
  const output = stripVTControlCharacters(printed)
  if (!END.test(output)) throw new Error('the run did not come to its end')
  const lines = output.split('\n')
  const tests = lines.flatMap((line) => {
    const { title, passed, failed, skipped } = TEST.exec(line)?.groups ?? {}
    return title === undefined ? [] : [{ file: fileOf(title, files), passed, failed, skipped }]
  })
  const broken = lines.flatMap((line) => BROKEN.exec(line)?.groups?.file ?? [])
  const failed = new Set([...tests.flatMap((test) => (test.failed ? test.file : [])), ...broken])
  const elsewhere = tests.filter(({ file }) => !failed.has(file))
  return {
    failed: [...failed],
    passed: elsewhere.filter((test) => test.passed).length,
    skipped: elsewhere.filter((test) => test.skipped).length,
  }
}

function fileOf(title: string, files: readonly string[]): string {
  const found = files.filter((file) => title.startsWith(prefixOf(file))).sort((one, other) => other.length - one.length)[0]
  if (found === undefined) throw new Error(`a test of none of the files: ${title}`)
  return found
}

/** What ava puts in front of the titles of a file, in a run of several: its path, without what a name says of its being a test. */
function prefixOf(file: string): string {
  const folders = file.replace(/^dist\//, '').split('/')
  const name = folders.pop()!.replace('.test.js', '').replace('test-', '')
  return [...folders, name, ''].join(' › ')
}
