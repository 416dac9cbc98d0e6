import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSettings } from '../adapters/process/settings.ts'
import { policyDigest } from './client/policy-digest.ts'

const USAGE = 'usage: npm run --silent policy-digest -- WALLET_ID [POLICY]'

try {
  console.log(await digest(process.argv.slice(2)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

/** `npm run policy-digest`: what a key of this wallet of the development client is to be bound to, under the policy that the wallet was created with. */
async function digest([walletId, policy = '{}']: readonly string[]): Promise<string> {
  if (!walletId) throw new Error(USAGE)
  const { dataDir } = readSettings(process.env)
  const { kid, publicJwk } = JSON.parse(await readFile(join(dataDir, 'dev-client.json'), 'utf8'))
  return policyDigest({ walletId, clientKeys: [{ ...publicJwk, kid }], ...JSON.parse(policy) })
}
