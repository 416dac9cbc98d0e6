import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { ledgerFileIn } from '../../adapters/ledger/ledger-file.ts'
import { openWitnessStore } from '../../adapters/ledger/witness-store.ts'
import type { KeyView } from '../../scripts/client/client.ts'
import { startTestSystem, type TestSystem, until } from './system.ts'

type Party = { partyId: string; up: boolean; fenced?: boolean; claimsRefused?: number }

let system: TestSystem
let key: KeyView
/** The only holder of the key. */
let holder: string
test.before(async () => {
  system = await startTestSystem()
  key = await system.client.generateKey(await system.client.createWallet('restored'), 'frost-secp256k1-tr', 1, 1)
  holder = key.parties[0]!
})
test.after.always(() => system?.stop())

const sign = async () => {
  const { sessionId } = await system.client.requestSignature(key.keyId, { kind: 'message', encoding: 'utf8', data: 'x' })
  return (await system.client.session(sessionId)).status
}
const parties = async () => (await system.client.get<{ items: Party[] }>('/v1/parties')).items
const fenced = async () => (await parties()).filter((party) => party.fenced).map(({ partyId }) => partyId)
const allAreUp = () =>
  until(async () => (await parties()).every(({ up, fenced }) => up && fenced !== undefined), 'every party to be heard of')
/** Until the others have seen the holder's ledger at this entry. */
async function witnessed(sequence: bigint): Promise<void> {
  for (const { partyId } of (await parties()).filter(({ partyId }) => partyId !== holder)) {
    const store = openWitnessStore({ file: ledgerFileIn(join(system.dataDir, 'parties', partyId)) })
    try {
      await until(async () => store.witnessed(holder)?.sequence === sequence, `${partyId} to have witnessed entry ${sequence}`)
    } finally {
      store.close()
    }
  }
}

test.serial('after SIGKILL to everything nobody is fenced', async (t) => {
  t.is(await sign(), 'signed')
  await system.killEverything()
  await system.startAgain()
  await allAreUp()
  t.deepEqual(await fenced(), [])
  t.is(await sign(), 'signed')
})

test.serial('a party restored from its backup is fenced until an operator lifts that', async (t) => {
  const [archive, passphrase] = [join(system.dataDir, 'archive'), join(system.dataDir, 'passphrase')]
  await writeFile(passphrase, 'a passphrase for tests', { mode: 0o600 })
  const folder = join(system.dataDir, 'parties', holder)
  await system.run('backup-party', '--party', holder, '--to', archive, '--passphrase-file', passphrase)
  t.is(await sign(), 'signed')
  await witnessed(3n)
  await system.killEverything()
  await rename(folder, `${folder}-lost`)
  await system.run('restore-party', '--party', holder, '--from', archive, '--passphrase-file', passphrase)
  await system.startAgain()
  await allAreUp()
  await until(async () => (await fenced()).includes(holder), 'the restored party to be fenced')
  t.deepEqual(await fenced(), [holder])
  t.is(await sign(), 'failed')
  t.regex(await (await fetch(`${system.dev.baseUrl}/metrics`)).text(), new RegExp(`quorate_party_fenced\\{party="${holder}"\\} 1`))

  await system.run('unfence', '--party', holder, '--reason', 'a test', '--yes-i-have-checked')
  await until(async () => (await fenced()).length === 0, 'the party to notice')
  t.is(await sign(), 'signed')
})
