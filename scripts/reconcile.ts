import { parseArgs } from 'node:util'
import { openChainNodes } from '../adapters/chains/nodes.ts'
import { openChains } from '../adapters/chains/registry.ts'
import { connectMongo } from '../adapters/mongodb/connect.ts'
import { readSettings } from '../adapters/process/settings.ts'
import { type Line, reconcile } from './reconcile/reconciliation.ts'
import { readEndpoints } from './supervisor/endpoints.ts'

const COLUMNS = ['verdict', 'chain', 'address', 'asset', 'known', 'onChain'] as const

try {
  const wrong = await run()
  if (wrong > 0) process.exitCode = 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}

/**
 * `npm run reconcile [-- --json]`: every account's balance by the read models beside the chain's. Ends with 1 when one of them differs, or could not be asked for, though nothing
 * is under way.
 */
async function run(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
  const settings = readSettings(process.env)
  const url = settings.mongodbUrl ?? (await readEndpoints(settings.dataDir))?.mongodb
  if (url === undefined) throw new Error(`no system runs over ${settings.dataDir}: start Quorate first, or set QUORATE_MONGODB_URL`)
  const [chains, nodes] = await Promise.all([openChains(settings.chainsFile), openChainNodes(settings.chainsFile)])
  if (nodes.size === 0) throw new Error('no chain has endpoints: set QUORATE_CHAINS')
  const { documents, projections: store, close } = await connectMongo({ url, database: settings.mongodbDatabase })
  try {
    const lines: Line[] = []
    for await (const line of reconcile({ documents, store, chains, nodes })) lines.push(line)
    console.log(values.json ? JSON.stringify(lines, null, 2) : tableOf(lines))
    return lines.filter(({ verdict }) => verdict === 'different' || verdict === 'unknown').length
  } finally {
    await close()
    for (const node of nodes.values()) await node.close()
  }
}

function tableOf(lines: readonly Line[]): string {
  const rows = [COLUMNS as readonly string[], ...lines.map((line) => COLUMNS.map((column) => line[column] ?? '-'))]
  const widths = COLUMNS.map((_, index) => Math.max(...rows.map((row) => row[index]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
