import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { connectMessages } from '../../adapters/nats/messages.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { SCHEMES } from '../../domain/threshold/scheme.ts'
import { collect, startTestSystem } from '../ceremony/system.ts'

test('no secret crosses the wire, enters an event or touches a disk in the clear, in any encoding', async (t) => {
  const secrets: Uint8Array[] = []
  let drawsAreSecret = true
  const system = await startTestSystem({
    parties: 3,
    onSecret: (secret, origin) => {
      if (origin !== 'drawn' || drawsAreSecret) secrets.push(secret)
    },
  })
  t.teardown(system.close)
  const traffic: Uint8Array[] = []
  const tap = await connectMessages({ url: system.brokerUrl, name: 'tap' })
  tap.subscribe('>', (payload, subject) => traffic.push(Buffer.from(subject), payload))
  await tap.ping()

  const walletId = await system.createWallet()
  const parties = system.parties.map(({ id }) => id)
  for (const scheme of SCHEMES) {
    // Where signers open together, commitments are opened by showing the salt that was drawn for them.
    drawsAreSecret = protocolOf(scheme).signing.openedBy === 'each'
    const key = await system.generateKey(walletId, { scheme, threshold: 2, parties })
    t.is((await system.sign(key, Buffer.from('pay nobody'))).status, 'signed')
  }
  await tap.ping()
  await tap.close()
  const events = (await collect(system.log.readAll())).map((event) => Buffer.from(JSON.stringify([event.data, event.metadata])))
  const files = await filesUnder(system.dir)

  // Shares (what the vault seals) hold the scalar after two bytes, and what is long the seeds of transfers, or what comes of them.
  const searched = secrets.flatMap((secret) => [
    secret,
    ...(secret.length > 34 ? [secret.subarray(2, 34)] : []),
    ...(secret.length > 256 ? [secret.subarray(128, 160), secret.subarray(-128, -96)] : []),
  ])
  const perScheme = { privateMessages: 6, shares: 3 }
  t.true(secrets.length > SCHEMES.length * (perScheme.privateMessages + perScheme.shares))
  for (const [place, contents] of Object.entries({ traffic, events, files })) {
    t.true(contents.length > 10, place)
    const haystack = Buffer.concat(contents)
    t.is(
      searched.findIndex((secret) => isIn(haystack, secret)),
      -1,
      place,
    )
  }
  t.true(isIn(Buffer.concat(traffic), Buffer.from('pay nobody')))
})

/** Whether the bytes, or most of any of their usual encodings, are in there. */
function isIn(haystack: Buffer, secret: Uint8Array): boolean {
  const bytes = Buffer.from(secret)
  const texts = [0, 1, 2].flatMap((offset) => {
    // Base64 of the same bytes looks different at each of three offsets.
    const base64 = bytes.subarray(offset).toString('base64').replace(/=+$/, '').slice(0, -1)
    return [base64, base64.replaceAll('+', '-').replaceAll('/', '_')]
  })
  const hex = bytes.toString('hex')
  return [bytes, ...[...texts, hex, hex.toUpperCase(), [...bytes].join(',')].map((text) => Buffer.from(text))].some((form) =>
    haystack.includes(form),
  )
}

async function filesUnder(dir: string): Promise<Buffer[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name))))
}
