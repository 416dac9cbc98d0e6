import { parseArgs } from 'node:util'
import { runProcess } from '../adapters/process/lifecycle.ts'
import { InvalidSetting } from '../adapters/process/settings.ts'

const USAGE = 'usage: npm run --silent embedded -- eventstore|mongodb|nats [--port N] [--data DIR]'

const log = (line: string) => console.error(line)

/** `npm run embedded`: one of the embedded servers alone; its connection URL is the one line on standard output. */
await runProcess('embedded', async () => {
  const { server, port, dataDir } = readArguments(process.argv.slice(2))
  const started = await start(server, port, dataDir)
  if (!process.send) console.log(started.url)
  return { details: { url: started.url, port: started.port }, close: started.close }
})

/** Only the server asked for is loaded, for the other two would double the time until it answers. */
async function start(server: string, port: number, dataDir: string | undefined) {
  switch (server) {
    case 'eventstore': {
      const { startEmbeddedEventStore } = await import('../adapters/embedded/eventstore/server.ts')
      return startEmbeddedEventStore({ port, log, ...(dataDir === undefined ? {} : { dataDir }) })
    }
    case 'mongodb': {
      const { startEmbeddedMongo } = await import('../adapters/embedded/mongodb/server.ts')
      return startEmbeddedMongo({ port, log })
    }
    case 'nats': {
      const { startEmbeddedNats } = await import('../adapters/embedded/nats/server.ts')
      return startEmbeddedNats({ port, log })
    }
    default:
      throw new InvalidSetting(USAGE)
  }
}

function readArguments(args: string[]): { server: string; port: number; dataDir: string | undefined } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { port: { type: 'string', default: process.env.QUORATE_EMBEDDED_PORT ?? '0' }, data: { type: 'string' } },
    })
    const [server, ...rest] = positionals
    const port = /^\d+$/.test(values.port) ? Number(values.port) : Number.NaN
    if (server === undefined || rest.length > 0 || !(port <= 65_535)) throw new Error('arguments')
    return { server, port, dataDir: values.data }
  } catch {
    throw new InvalidSetting(USAGE)
  }
}
