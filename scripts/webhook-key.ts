import { dropPreviousWebhookKey, openWebhookKeys, rotateWebhookKey } from '../adapters/identity/webhook-keys.ts'
import { readSettings } from '../adapters/process/settings.ts'
import { PLATFORM_TENANT } from '../http/route.ts'
import { withdrawKey } from '../webhooks/announced-keys.ts'
import { openLog } from './history/log.ts'

const USAGE = 'usage: npm run webhook-key -- show | rotate | retire | withdraw KID'

/** `npm run webhook-key`: the keys that webhooks are signed with, in the data folder of their deliverer. */
try {
  await run(process.argv.slice(2))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}

async function run([command, kid]: readonly string[]): Promise<void> {
  const settings = readSettings(process.env)
  if (command === 'rotate') await rotateWebhookKey(settings.dataDir)
  else if (command === 'retire') await dropPreviousWebhookKey(settings.dataDir)
  else if (command === 'withdraw' && kid) {
    const { log, close } = await openLog(settings)
    await withdrawKey(log, kid, PLATFORM_TENANT).finally(close)
    console.log(`${kid} is listed no more`)
    return
  } else if (command !== 'show') throw new Error(USAGE)
  const [current, previous] = await openWebhookKeys(settings.dataDir)
  console.log(`signs     ${current?.id}`)
  if (previous) console.log(`and also  ${previous.id}`)
  if (command !== 'show') console.log('restart the deliverer, and it does')
}
