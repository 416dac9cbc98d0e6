import { randomBytes, randomUUID } from 'node:crypto'
import type { TestFn } from 'ava'
import { ClaimRefused, type SigningClaim, type SigningLedger, type TransactionClaim } from '../../domain/ports/signing-ledger.ts'

export type LedgerUnderTest = {
  /** Opens the ledger of a name; several may be open at once, each as if in a process of its own. `now` is in ms since the epoch. */
  open(name: string, now?: () => number): Promise<SigningLedger>
}

/** A claim of a session of its own that spends nothing. */
export const newClaim = (given: Partial<SigningClaim> = {}): SigningClaim => ({
  keyId: 'key-1',
  sessionId: randomUUID(),
  attempt: 1,
  requestDigest: randomBytes(32),
  digest: randomBytes(32),
  slots: [],
  transaction: null,
  intents: [],
  answer: randomBytes(64),
  ...given,
})

/** A claim for a transaction of a transfer of its own, which moves a thousand units. */
export const newTransfer = (transaction: Partial<TransactionClaim> = {}, claim: Partial<SigningClaim> = {}) => ({
  ...newClaim(claim),
  transaction: {
    transferId: randomUUID(),
    walletId: 'wallet-1',
    digest: randomBytes(32),
    lifetimeMs: null,
    replacement: null,
    moves: { asset: 'eip155:1/slip44:60', amount: 1_000n, usdCents: 5n },
    ...transaction,
  } satisfies TransactionClaim,
})

const NONCE = 'nonce eip155:1 0x00 7'

/** What every ledger of signatures must do. */
export function testSigningLedger(test: TestFn, name: string, { open }: LedgerUnderTest): void {
  const fresh = async (t: { teardown(close: () => Promise<void>): void }, now?: () => number) => {
    const file = randomUUID()
    const reopen = async () => {
      const ledger = await open(file, now)
      t.teardown(() => ledger.close())
      return ledger
    }
    return { ledger: await reopen(), reopen }
  }

  test(`${name}: what was claimed is answered the same, also by one that is opened later`, async (t) => {
    const { ledger, reopen } = await fresh(t)
    const claim = newClaim({ slots: [NONCE], intents: ['intent-1'] })
    t.is(ledger.answered(claim.keyId, claim.sessionId, 1), undefined)
    t.is(ledger.head().sequence, 0n)
    await ledger.claim(claim)
    for (const each of [ledger, await reopen()]) {
      const { requestDigest, answer } = each.answered(claim.keyId, claim.sessionId, 1)!
      t.deepEqual(Buffer.from(requestDigest), claim.requestDigest)
      t.deepEqual(Buffer.from(answer), claim.answer)
      t.is(each.answered(claim.keyId, claim.sessionId, 2), undefined)
      t.is(each.answered('another-key', claim.sessionId, 1), undefined)
    }
  })

  test(`${name}: each claim chains a new head, and the same claim again changes nothing`, async (t) => {
    const { ledger, reopen } = await fresh(t)
    const claims = [newClaim(), newClaim({ slots: [NONCE], intents: ['intent-1', 'intent-2'] })]
    const [first, second] = [await ledger.claim(claims[0]!), await ledger.claim(claims[1]!)]
    t.deepEqual([first.sequence, second.sequence], [1n, 2n])
    t.notDeepEqual(first.hash, second.hash)
    const other = await reopen()
    for (const claim of claims) t.deepEqual(await other.claim(claim), second)
    t.deepEqual(other.head(), second)
  })

  test(`${name}: one session signs one digest, in however many attempts`, async (t) => {
    const { ledger } = await fresh(t)
    const claim = newClaim({ slots: [NONCE], intents: ['intent-1'] })
    await ledger.claim(claim)
    await t.notThrowsAsync(ledger.claim({ ...claim, attempt: 2, requestDigest: randomBytes(32), answer: randomBytes(64) }))
    for (const attempt of [1, 2, 3])
      await t.throwsAsync(ledger.claim({ ...claim, attempt, digest: randomBytes(32), slots: [] }), refusal('signed_otherwise'))
    await t.notThrowsAsync(ledger.claim({ ...claim, keyId: 'key-2', intents: [], digest: randomBytes(32) }))
  })

  test(`${name}: an attempt has one request and one answer`, async (t) => {
    const { ledger } = await fresh(t)
    const claim = newClaim()
    const head = await ledger.claim(claim)
    for (const otherwise of [
      { requestDigest: randomBytes(32) },
      { answer: randomBytes(64) },
      { slots: [NONCE] },
      { intents: ['intent-1'] },
    ])
      await t.throwsAsync(ledger.claim({ ...claim, ...otherwise }), refusal('signed_otherwise'))
    t.deepEqual(ledger.head(), head)
  })

  test(`${name}: a slot is for one digest of its key`, async (t) => {
    const { ledger } = await fresh(t)
    const claim = newClaim({ slots: ['input 00:1', NONCE] })
    await ledger.claim(claim)
    await t.throwsAsync(ledger.claim(newClaim({ slots: ['input 00:2', NONCE] })), refusal('slot_taken'))
    await t.notThrowsAsync(ledger.claim(newClaim({ slots: ['input 00:2'] })), 'a refused claim takes nothing')
    await t.notThrowsAsync(ledger.claim(newClaim({ slots: [NONCE], digest: claim.digest })), 'the same transaction in another session')
    await t.notThrowsAsync(ledger.claim(newClaim({ keyId: 'key-2', slots: [NONCE] })), 'the same nonce of another account')
    await t.notThrowsAsync(ledger.claim(newClaim({ slots: ['input 00:3', 'input 00:3'] })), 'named twice')
  })

  test(`${name}: an intent is for one session or operation`, async (t) => {
    const { ledger, reopen } = await fresh(t)
    const claim = newClaim({ intents: ['intent-1', 'approval-1'] })
    await ledger.claim(claim)
    await ledger.spend(['intent-2'], 'generate key-9')
    const head = ledger.head()
    await ledger.spend(['intent-2'], 'generate key-9')
    t.deepEqual(ledger.head(), head)
    for (const each of [ledger, await reopen()]) {
      await t.throwsAsync(each.claim(newClaim({ intents: ['intent-1'] })), refusal('intent_reused'))
      await t.throwsAsync(each.claim(newClaim({ intents: ['fresh', 'approval-1'] })), refusal('intent_reused'))
      await t.throwsAsync(each.claim(newClaim({ intents: ['intent-2'] })), refusal('intent_reused'))
      await t.throwsAsync(each.spend(['intent-1'], 'generate key-9'), refusal('intent_reused'))
      await t.throwsAsync(each.spend(['fresh', 'intent-2'], 'generate key-8'), refusal('intent_reused'))
    }
    await t.notThrowsAsync(ledger.claim({ ...claim, attempt: 2, requestDigest: randomBytes(32), answer: randomBytes(64) }))
    await t.notThrowsAsync(ledger.spend(['fresh'], 'generate key-8'), 'a refused use spends nothing')
    await t.throwsAsync(
      ledger.spend([`spent`, 'fresh'], `signature ${claim.keyId} ${claim.sessionId}`),
      refusal('intent_reused'),
      'an operation is no signature, whatever it is called',
    )
  })

  test(`${name}: a transfer has one transaction, which any number of sessions sign`, async (t) => {
    const { ledger, reopen } = await fresh(t)
    const claim = newTransfer({}, { slots: [NONCE], intents: ['intent-1'] })
    await ledger.claim(claim)
    for (const each of [ledger, await reopen()]) {
      const inAnother = { sessionId: randomUUID(), digest: randomBytes(32) }
      await t.notThrowsAsync(each.claim({ ...claim, ...inAnother }), 'another input of the same transaction')
      const other = { ...claim, ...inAnother, sessionId: randomUUID(), transaction: { ...claim.transaction, digest: randomBytes(32) } }
      await t.throwsAsync(each.claim(other), refusal('slot_taken'))
      await t.throwsAsync(each.claim({ ...other, slots: ['another'] }), refusal('slot_taken'))
      await t.throwsAsync(each.claim({ ...other, keyId: 'key-2' }), refusal('slot_taken'), 'not by another key either')
      await t.throwsAsync(each.claim(newTransfer({}, { slots: [NONCE] })), refusal('slot_taken'), 'another transfer')
      await t.throwsAsync(each.claim(newClaim({ slots: [NONCE] })), refusal('slot_taken'), 'no transfer at all')
      await t.throwsAsync(each.claim(newTransfer({}, { intents: ['intent-1'] })), refusal('intent_reused'))
      await t.throwsAsync(each.claim(newClaim({ intents: ['intent-1'] })), refusal('intent_reused'))
    }
  })

  test(`${name}: a replacement has something in common with every one before, and an intent that asks for it alone`, async (t) => {
    const { ledger } = await fresh(t)
    const transferId = randomUUID()
    const claimOf = (slots: readonly string[], replacement: string | null, intents: readonly string[] = []) =>
      newTransfer({ transferId, replacement }, { slots, intents: replacement === null ? intents : [...intents, replacement] })
    await ledger.claim(claimOf(['a', 'b'], null, ['intent']))
    await t.throwsAsync(ledger.claim(claimOf(['a', 'b'], null, ['intent'])), refusal('slot_taken'))
    await t.throwsAsync(ledger.claim(claimOf(['c'], 'wish-1', ['intent'])), refusal('slot_taken'))
    await t.throwsAsync(ledger.claim(claimOf(['b', 'c'], 'wish-1', ['intent'])), refusal('slot_taken'), 'c would be lost with it')
    await t.notThrowsAsync(ledger.claim(newTransfer({}, { slots: ['c'] })), 'a refused claim takes nothing')
    const second = claimOf(['b'], 'wish-1', ['intent'])
    await ledger.claim(second)
    await t.notThrowsAsync(ledger.claim({ ...second, sessionId: randomUUID() }))
    await t.throwsAsync(ledger.claim(claimOf(['a', 'b'], 'wish-1')), refusal('intent_reused'))
    await t.throwsAsync(ledger.claim(claimOf(['a'], 'wish-2')), refusal('slot_taken'), 'the second one could be mined as well')
    await t.notThrowsAsync(ledger.claim(claimOf(['a', 'b'], 'wish-2')))
    await t.throwsAsync(ledger.claim(newTransfer({}, { slots: ['a'] })), refusal('slot_taken'), 'what a transfer has used is for no other')
    await t.throwsAsync(ledger.claim(newTransfer({}, { intents: ['wish-2'] })), refusal('intent_reused'))
  })

  test(`${name}: once a transaction has died of age another one may follow, and not before`, async (t) => {
    let now = 1_000_000
    const { ledger, reopen } = await fresh(t, () => now)
    const transferId = randomUUID()
    const claimOf = () => newTransfer({ transferId, lifetimeMs: 60_000 }, { slots: [] })
    const first = claimOf()
    await ledger.claim(first)
    now += 60_000
    await t.throwsAsync(ledger.claim(claimOf()), refusal('slot_taken'))
    now += 1
    await (await reopen()).claim(claimOf())
    await t.throwsAsync(ledger.claim(claimOf()), refusal('slot_taken'))
    await t.notThrowsAsync(ledger.claim({ ...first, sessionId: randomUUID() }), 'the dead one itself can be signed, to no avail')
    const forEver = newTransfer({ lifetimeMs: null })
    await ledger.claim(forEver)
    now += 10 ** 12
    await t.throwsAsync(ledger.claim(newTransfer({ transferId: forEver.transaction.transferId })), refusal('slot_taken'))
  })

  test(`${name}: what was moved is told for each transfer as it was when it was signed for first`, async (t) => {
    let now = 1_000_000
    const { ledger, reopen } = await fresh(t, () => now)
    const moves = (amount: bigint, usdCents: bigint | null = null) => ({ asset: 'an asset', amount, usdCents })
    const [one, two] = [newTransfer({ moves: moves(10n ** 30n, 7n) }), newTransfer({ moves: moves(2n) })]
    await ledger.claim(one)
    now += 1_000
    await ledger.claim(two)
    await ledger.claim(newTransfer({ walletId: 'wallet-2' }))
    await ledger.claim(newTransfer({ moves: null }))
    await ledger.claim({ ...two, sessionId: randomUUID() })
    now += 1_000
    const [first, second] = [
      { at: 1_000_000, ...moves(10n ** 30n, 7n) },
      { at: 1_001_000, ...moves(2n) },
    ]
    for (const each of [ledger, await reopen()]) {
      const historyOf = (transferId: string, windowMs: number) => each.history({ walletId: 'wallet-1', transferId }, windowMs)
      t.deepEqual(historyOf('new', 10_000), { at: now, moved: [second, first] })
      t.deepEqual(historyOf('new', 2_000), { at: now, moved: [second] })
      t.deepEqual(historyOf('new', 0), { at: now, moved: [] })
      t.deepEqual(historyOf(two.transaction.transferId, 10_000), { at: 1_001_000, moved: [first] })
      t.deepEqual(historyOf(one.transaction.transferId, 10_000), { at: 1_000_000, moved: [] })
    }
  })

  test(`${name}: limits are looked at in the same step, once for each transfer`, async (t) => {
    const { ledger, reopen } = await fresh(t)
    const ledgers = [ledger, await reopen(), await reopen()]
    const limits = {
      windowMs: 60_000,
      exceededBy: ({ moved }: { moved: readonly unknown[] }) => (moved.length < 2 ? undefined : 'too many'),
    }
    const claims = ledgers.flatMap((each) => [newTransfer(), newTransfer()].map((claim) => ({ each, claim })))
    const outcomes = await Promise.allSettled(claims.map(({ each, claim }) => each.claim(claim, limits)))
    const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [(outcome.reason as ClaimRefused).code] : []))
    t.deepEqual(codes, Array(4).fill('limit_exceeded'))
    const done = claims[outcomes.findIndex(({ status }) => status === 'fulfilled')]!.claim
    await t.notThrowsAsync(ledger.claim({ ...done, sessionId: randomUUID() }, limits))
  })

  test(`${name}: what moves something is counted, and held to limits, also when what moves nothing was signed before`, async (t) => {
    let now = 1_000_000
    const { ledger } = await fresh(t, () => now)
    const transferId = randomUUID()
    const wish = (name: string) => ({ slots: ['a'], intents: [name] })
    await ledger.claim(newTransfer({ transferId, moves: null, replacement: 'cancel' }, wish('cancel')))
    const accelerate = (name: string) => newTransfer({ transferId, replacement: name }, wish(name))
    const never = { windowMs: 60_000, exceededBy: () => 'too much' }
    await t.throwsAsync(ledger.claim(accelerate('faster'), never), refusal('limit_exceeded'))
    now += 1_000
    await ledger.claim(accelerate('faster'))
    now += 1_000
    await t.notThrowsAsync(ledger.claim(accelerate('fastest'), never), 'it is counted already')
    const other = { walletId: 'wallet-1', transferId: 'another' }
    const moved = { at: 1_001_000, asset: 'eip155:1/slip44:60', amount: 1_000n, usdCents: 5n }
    t.deepEqual(ledger.history(other, 60_000).moved, [moved])
    t.is(ledger.history({ ...other, transferId }, 60_000).at, 1_001_000)
  })

  test(`${name}: of claims made at once that contradict each other one is recorded`, async (t) => {
    const { ledger, reopen } = await fresh(t)
    const ledgers = [ledger, await reopen(), await reopen()]
    const contradicting: ((n: number) => { claims: SigningClaim[]; code: string })[] = [
      (n) => ({ claims: ledgers.map(() => newClaim({ sessionId: `session-${n}` })), code: 'signed_otherwise' }),
      (n) => ({ claims: ledgers.map(() => newClaim({ slots: [`slot ${n}`] })), code: 'slot_taken' }),
      (n) => ({ claims: ledgers.map(() => newClaim({ intents: [`intent-${n}`] })), code: 'intent_reused' }),
      (n) => ({ claims: ledgers.map(() => newTransfer({ transferId: `transfer-${n}` })), code: 'slot_taken' }),
    ]
    for (const make of contradicting) {
      for (let n = 0; n < 10; n++) {
        const { claims, code } = make(n)
        for (const at of [(i: number) => ledgers[i]!, () => ledger]) {
          const outcomes = await Promise.allSettled(claims.map((claim, i) => at(i).claim(claim)))
          const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [(outcome.reason as ClaimRefused).code] : []))
          t.deepEqual(codes, [code, code])
        }
      }
    }
    t.is(ledger.head().sequence, 40n)
  })

  test(`${name}: claims made at once each have an outcome of their own`, async (t) => {
    const { ledger } = await fresh(t)
    await ledger.claim(newClaim({ slots: [NONCE] }))
    const claims = Array.from({ length: 300 }, (_, n) => newClaim({ slots: n % 3 === 0 ? [NONCE] : [] }))
    const outcomes = await Promise.allSettled(claims.map((claim) => ledger.claim(claim)))
    t.deepEqual(
      outcomes.map(({ status }) => status),
      claims.map(({ slots }) => (slots.length > 0 ? 'rejected' : 'fulfilled')),
    )
    t.is(ledger.head().sequence, 201n)
    t.deepEqual(
      claims.map(({ keyId, sessionId }) => ledger.answered(keyId, sessionId, 1) !== undefined),
      claims.map(({ slots }) => slots.length === 0),
    )
  })

  test(`${name}: refusals are counted`, async (t) => {
    const { ledger } = await fresh(t)
    t.deepEqual(ledger.refusals(), { signed_otherwise: 0, slot_taken: 0, intent_reused: 0, limit_exceeded: 0 })
    const claim = newClaim({ slots: [NONCE], intents: ['intent-1'] })
    await ledger.claim(claim)
    await t.throwsAsync(ledger.claim({ ...claim, digest: randomBytes(32) }))
    await t.throwsAsync(ledger.claim(newClaim({ slots: [NONCE] })))
    await t.throwsAsync(ledger.claim(newClaim({ intents: ['intent-1'] })))
    await t.throwsAsync(ledger.spend(['intent-1'], 'generate key-9'))
    t.deepEqual(ledger.refusals(), { signed_otherwise: 1, slot_taken: 1, intent_reused: 2, limit_exceeded: 0 })
  })

  test(`${name}: a claim under way when it is closed is recorded; later ones are refused`, async (t) => {
    const { ledger, reopen } = await fresh(t)
    const claim = newClaim()
    const underWay = ledger.claim(claim)
    await ledger.close()
    await t.notThrowsAsync(underWay)
    await t.throwsAsync(ledger.claim(newClaim()))
    t.throws(() => ledger.head())
    t.truthy((await reopen()).answered(claim.keyId, claim.sessionId, 1))
  })
}

const refusal = (code: ClaimRefused['code']) => ({ instanceOf: ClaimRefused, code })
