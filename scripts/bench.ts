import { benchArchive } from './bench/archive/archive.ts'
import { benchProjections } from './bench/projections/projections.ts'
import { benchReplay } from './bench/replay/replay.ts'
import { benchSigning } from './bench/signing/signing.ts'
import { benchStore } from './bench/store/main.ts'
import { benchSystem } from './bench/system.ts'

const BENCHMARKS: { readonly [name: string]: (args: readonly string[]) => Promise<void> } = {
  system: benchSystem,
  signing: benchSigning,
  store: benchStore,
  projections: benchProjections,
  replay: benchReplay,
  archive: benchArchive,
}

/** `npm run bench [-- system|signing|store|projections|replay|archive] [options]`; what each measures, and its options, are in docs/benchmarks.md. */
async function bench([first = 'system', ...rest]: readonly string[]): Promise<void> {
  const [name, args] = first.startsWith('-') ? ['system', [first, ...rest]] : [first, rest]
  const benchmark = BENCHMARKS[name]
  if (!benchmark) throw new Error(`usage: npm run bench -- ${Object.keys(BENCHMARKS).join('|')} [options]`)
  await benchmark(args)
}

try {
  await bench(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.stack : error)
  process.exitCode = 1
}
