import test from 'ava'
import { startEmbeddedNats } from '../../../adapters/embedded/nats/server.ts'
import { connectMessages } from '../../../adapters/nats/messages.ts'
import { pingParties } from './pings.ts'

test('parties are pinged again and again: who answers lives, who does not is missed, and a broker that is gone is nobody’s fault', async (t) => {
  const nats = await startEmbeddedNats({ port: 0 })
  const messages = await connectMessages({ url: nats.url, name: 'test' })
  messages.serve('quorate.party.alive.health', async () => new Uint8Array(1))
  messages.serve('quorate.party.silent.health', () => new Promise(() => {}))
  await messages.ping()
  const heard: string[] = []
  let enough = () => {}
  let asked = 0
  let askedOften = () => {}
  const stop = pingParties(
    {
      request(...given) {
        if (++asked === 30) askedOften()
        return messages.request(...given)
      },
    },
    ['alive', 'silent', 'absent'],
    {
      pinged(id, answered) {
        heard.push(`${id} ${answered}`)
        if (['alive true', 'silent false', 'absent false'].every((each) => heard.filter((one) => one === each).length > 1)) enough()
      },
    },
    { everyMs: 20, timeoutMs: 1_000 },
  )
  t.teardown(async () => {
    stop()
    await messages.close()
  })
  await new Promise<void>((resolve) => {
    enough = resolve
  })
  t.deepEqual([...new Set(heard)].sort(), ['absent false', 'alive true', 'silent false'])
  await nats.close()
  await t.throwsAsync(messages.ping())
  const before = heard.length
  await new Promise<void>((resolve) => {
    asked = 0
    askedOften = resolve
  })
  t.is(heard.length, before)
})
