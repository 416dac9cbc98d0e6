import { randomBytes } from 'node:crypto'
import type { TestFn } from 'ava'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { UnsealFailed, type Vault } from '../../domain/ports/vault.ts'

/** `open` opens the same vault each time, `openOther` one with another key. */
export type VaultUnderTest = { open(): Promise<Vault>; openOther(): Promise<Vault> }

const SHARE = { secret: Buffer.from('a share of a key'), owner: Buffer.from('party 1, key 7, epoch 0') }

/** What every vault must do. */
export function testVault(test: TestFn, name: string, { open, openOther }: VaultUnderTest): void {
  test(`${name}: what is sealed opens again, whatever its length`, async (t) => {
    const vault = await open()
    t.teardown(() => vault.close())
    for (const length of [0, 1, 15, 16, 17, 32, 1_000, 100_000]) {
      const plaintext = randomBytes(length)
      const associatedData = randomBytes(length % 40)
      const sealed = await vault.seal(plaintext, associatedData)
      t.true(plaintext.equals(await vault.open(sealed, associatedData)), `${length} bytes`)
      if (length > 16) t.false(Buffer.from(sealed).includes(plaintext.subarray(0, 16)))
    }
  })

  test(`${name}: the same sealed twice looks different`, async (t) => {
    const vault = await open()
    t.teardown(() => vault.close())
    const [one, other] = [await vault.seal(SHARE.secret, SHARE.owner), await vault.seal(SHARE.secret, SHARE.owner)]
    t.notDeepEqual(Buffer.from(one!), Buffer.from(other!))
  })

  test(`${name}: it does not open with other associated data`, async (t) => {
    const vault = await open()
    t.teardown(() => vault.close())
    const sealed = await vault.seal(SHARE.secret, SHARE.owner)
    for (const other of ['', 'party 1, key 7, epoch 1', 'party 1, key 7, epoch 0 '])
      await t.throwsAsync(vault.open(sealed, Buffer.from(other)), { instanceOf: UnsealFailed })
  })

  test(`${name}: it does not open when a bit of any byte is flipped, nor when it is cut or lengthened`, async (t) => {
    const vault = await open()
    t.teardown(() => vault.close())
    const sealed = Buffer.from(await vault.seal(SHARE.secret, SHARE.owner))
    for (let index = 0; index < sealed.length; index++) {
      const altered = Buffer.from(sealed)
      altered[index]! ^= 1 << (index % 8)
      await t.throwsAsync(vault.open(altered, SHARE.owner), { instanceOf: UnsealFailed }, `byte ${index}`)
    }
    for (let length = 0; length < sealed.length; length++)
      await t.throwsAsync(vault.open(sealed.subarray(0, length), SHARE.owner), { instanceOf: UnsealFailed }, `${length} bytes`)
    await t.throwsAsync(vault.open(Buffer.concat([sealed, Buffer.of(0)]), SHARE.owner), { instanceOf: UnsealFailed })
    t.true(SHARE.secret.equals(await vault.open(sealed, SHARE.owner)))
  })

  test(`${name}: what one vault sealed, another does not open`, async (t) => {
    const [vault, other] = [await open(), await openOther()]
    t.teardown(() => Promise.all([vault.close(), other.close()]))
    const sealed = await vault.seal(SHARE.secret, SHARE.owner)
    await t.throwsAsync(other.open(sealed, SHARE.owner), { instanceOf: UnsealFailed })
  })

  test(`${name}: 64 callers at once get what is theirs, failures among them`, async (t) => {
    const vault = await open()
    t.teardown(() => vault.close())
    const opened = await Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        const sealed = await vault.seal(Buffer.from(`share ${index}`), SHARE.owner)
        if (index % 8 === 0) await t.throwsAsync(vault.open(sealed, Buffer.of()), { instanceOf: UnsealFailed })
        return Buffer.from(await vault.open(sealed, SHARE.owner)).toString()
      }),
    )
    t.deepEqual(
      opened,
      opened.map((_, index) => `share ${index}`),
    )
  })

  test(`${name}: what was sealed before it was closed opens after it is opened again`, async (t) => {
    const before = await open()
    const sealed = await before.seal(SHARE.secret, SHARE.owner)
    await before.close()
    const after = await open()
    t.teardown(() => after.close())
    await after.ping()
    t.true(SHARE.secret.equals(await after.open(sealed, SHARE.owner)))
  })

  test(`${name}: once closed it does nothing more`, async (t) => {
    const vault = await open()
    const sealed = await vault.seal(SHARE.secret, SHARE.owner)
    await vault.close()
    await t.throwsAsync(vault.seal(SHARE.secret, SHARE.owner), { instanceOf: Unavailable })
    await t.throwsAsync(vault.open(sealed, SHARE.owner), { instanceOf: Unavailable })
    await t.throwsAsync(vault.ping(), { instanceOf: Unavailable })
    await t.notThrowsAsync(vault.close())
  })

  test(`${name}: errors hold nothing of what was sealed`, async (t) => {
    const vault = await open()
    t.teardown(() => vault.close())
    const sealed = await vault.seal(SHARE.secret, SHARE.owner)
    const error = await t.throwsAsync(vault.open(sealed, Buffer.from('someone else')), { instanceOf: UnsealFailed })
    t.notRegex(`${error?.stack} ${error?.cause}`, /a share of a key|someone else/)
  })
}
