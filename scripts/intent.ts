import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSettings } from '../adapters/process/settings.ts'
import { signIntent } from './client/intent.ts'

const USAGE = 'usage: npm run --silent intent -- METHOD PATH [BODY]'

try {
  console.log(await sign(process.argv.slice(2)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

/** `npm run intent`: an intent of the development client for this request, as the header `Quorate-Intent` wants it. */
async function sign([method, path, body = '']: readonly string[]): Promise<string> {
  if (!method || !path?.startsWith('/')) throw new Error(USAGE)
  const { dataDir } = readSettings(process.env)
  const client = JSON.parse(await readFile(join(dataDir, 'dev-client.json'), 'utf8'))
  return signIntent(client, method, path, Buffer.from(body))
}
