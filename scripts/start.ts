import { openChains } from '../adapters/chains/registry.ts'
import { openPrices } from '../adapters/prices/static-table.ts'
import { runProcess } from '../adapters/process/lifecycle.ts'
import { readSettings } from '../adapters/process/settings.ts'
import { startSystem } from './supervisor/system.ts'

/** `npm start`: all of Quorate on this machine, until Ctrl-C. */
await runProcess('quorate', async () => {
  const settings = readSettings(process.env)
  // A wrong file is found before anything has been started.
  if (settings.chainsFile !== undefined) await openChains(settings.chainsFile)
  if (settings.pricesFile !== undefined) await openPrices(settings.pricesFile)
  const system = await startSystem(settings, {
    died: (name, how) => console.error(`${name} died (${how}) and will be started again`),
    returned: (name) => console.error(`${name} is back`),
  })
  for (const line of system.description) console.log(line)
  if (system.client) console.log(`client       ${settings.dataDir}/dev-client.json (for development only)`)
  console.log(`Quorate answers on ${system.baseUrl}, documentation on ${system.baseUrl}/docs; Ctrl-C stops it`)
  return { details: { url: system.baseUrl }, close: system.stop }
})
