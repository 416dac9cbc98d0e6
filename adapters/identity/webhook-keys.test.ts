import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { calculateJwkThumbprint } from 'jose'
import { dropPreviousWebhookKey, openWebhookKeys, publicSigningKey, rotateWebhookKey } from './webhook-keys.ts'

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-webhooks-'))
  t.teardown(() => rm(dir, { recursive: true }))
  return dir
}

const idsOf = (keys: readonly { id: string }[]) => keys.map(({ id }) => id)

test('the key is made once, is for its owner only, and is named by its thumbprint', async (t) => {
  const dir = await folder(t)
  const [key] = await openWebhookKeys(dir)
  t.deepEqual(idsOf(await openWebhookKeys(dir)), [key!.id])
  t.is((await stat(join(dir, 'webhooks/signing-key'))).mode & 0o777, 0o600)
  t.is(key!.id, await calculateJwkThumbprint(publicSigningKey(key!)))
})

test('a rotated key signs beside the new one, until it is dropped', async (t) => {
  const dir = await folder(t)
  const [first] = await openWebhookKeys(dir)
  const [second, previous] = await rotateWebhookKey(dir)
  t.is(previous!.id, first!.id)
  t.not(second!.id, first!.id)
  const third = await rotateWebhookKey(dir)
  t.deepEqual(idsOf(third).slice(1), [second!.id])
  await dropPreviousWebhookKey(dir)
  t.deepEqual(idsOf(await openWebhookKeys(dir)), [third[0]!.id])
})

test('a key that others can read, or that is none, is refused', async (t) => {
  const dir = await folder(t)
  await openWebhookKeys(dir)
  const file = join(dir, 'webhooks/signing-key')
  await chmod(file, 0o644)
  await t.throwsAsync(openWebhookKeys(dir), { code: 'key_exposed' } as object)
  await chmod(file, 0o600)
  await writeFile(file, 'nothing')
  await t.throwsAsync(openWebhookKeys(dir), { code: 'key_unreadable' } as object)
})
