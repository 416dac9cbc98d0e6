import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { type Figure, isKept, type Promised } from './figures.ts'
import type { Usage } from './resources.ts'

/** What one benchmark found. */
export type Findings = { figures: readonly Figure[]; usage: readonly Usage[] }

type Column = { title: string; cell(figure: Figure): string }

export const machine = () => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  /** What else it was doing, or had just done, in processes that wanted to run. */
  load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
})

export function describeMachine(): string {
  const { cpu, cores, memoryGiB, node, load } = machine()
  return `${cores} cores (${cpu}), ${memoryGiB} GiB, Node ${node}, load ${load}`
}

/** Writes figures as JSON, with when and on what machine they were measured, and says where. */
export async function writeResults(out: string, results: object): Promise<void> {
  const file = resolve(out)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, JSON.stringify({ at: new Date().toISOString(), machine: machine(), ...results }, null, 2))
  console.log(`figures as JSON: ${file}`)
}

/** Prints the findings, beside those of an earlier run when `compare` names its file. */
export async function printFindings({ figures, usage }: Findings, compare: string | undefined): Promise<void> {
  const earlier = compare === undefined ? [] : (JSON.parse(await readFile(compare, 'utf8')) as Findings).figures
  const before = (figure: Figure) => earlier.find(({ name, of }) => name === figure.name && of === figure.of)?.value
  const columns: Column[] = [
    { title: 'figure', cell: ({ name }) => name },
    { title: 'of', cell: ({ of }) => of },
    { title: 'value', cell: ({ value, failure }) => (failure === undefined ? number(value) : 'failed') },
    { title: 'unit', cell: ({ unit }) => unit },
    { title: 'p50 ms', cell: ({ p50ms }) => number(p50ms) },
    { title: 'p99 ms', cell: ({ p99ms }) => number(p99ms) },
    { title: 'RSS MiB', cell: ({ rssMiB }) => number(rssMiB) },
    { title: 'real', cell: ({ real }) => number(real) },
    { title: '× real', cell: ({ value, real }) => ratio(value, real) },
    { title: 'promised', cell: ({ promise, value }) => (promise ? `${bound(promise)} ${isKept(promise, value) ? 'kept' : 'MISSED'}` : '') },
    { title: 'other', cell: ({ other }) => number(other) },
    { title: '× other', cell: ({ value, other }) => ratio(value, other) },
    { title: 'before', cell: (figure) => number(before(figure)) },
    { title: '× before', cell: (figure) => ratio(figure.value, before(figure)) },
  ]
  const filled = columns.filter(({ cell }) => figures.some((figure) => cell(figure) !== ''))
  printTable([filled.map(({ title }) => title), ...figures.map((figure) => filled.map(({ cell }) => cell(figure)))])
  for (const { name, of, failure } of figures) if (failure !== undefined) console.log(`${name}, ${of}: ${failure}`)
  if (usage.length > 0) {
    const rows = usage.map(({ of, cpuSeconds, residentMiB }) => [of, number(cpuSeconds), ...Object.values(residentMiB).map(number)])
    printTable([['process', 'CPU s', 'RSS MiB: start', '1/4', '1/2', '3/4', 'end', 'peak'], ...rows])
  }
}

/** One line of a figure, to say that it has been measured. */
export const sayShort = ({ name, of, value, unit, failure }: Figure) => `${name}, ${of}: ${failure ?? `${number(value)} ${unit}`}`

/** The first row is the heading; columns that hold numbers are aligned to the right. */
function printTable(rows: readonly (readonly string[])[]): void {
  const [heading = [], ...body] = rows
  const widths = heading.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const isNumeric = heading.map((_, column) => body.every((row) => /^([\d.,]+|failed|)$/.test(row[column] ?? '')))
  const align = (text: string, column: number) => (isNumeric[column] ? text.padStart(widths[column]!) : text.padEnd(widths[column]!))
  console.log()
  for (const row of rows) console.log(row.map(align).join('  ').trimEnd())
  console.log()
}

/** Three digits at least, none behind the point that do not matter. */
function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return ''
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: digits })
}

const ratio = (value: number, base: number | undefined) => (base === undefined || Number.isNaN(value) ? '' : (value / base).toFixed(2))

const bound = (promise: Promised) => ('atLeast' in promise ? `≥ ${number(promise.atLeast)}` : `< ${number(promise.below)}`)
