import { randomBytes, randomUUID } from 'node:crypto'
import type { TestFn } from 'ava'
import { ClaimRefused, type SigningClaim, type SigningLedger } from '../../domain/ports/signing-ledger.ts'

export type LedgerUnderTest = {
  /** Opens the ledger of a name; several may be open at once, each as if in a process of its own. */
  open(name: string): Promise<SigningLedger>
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

const NONCE = 'nonce eip155:1 0x00 7'

/** What every ledger of signatures must do. */
export function testSigningLedger(test: TestFn, name: string, { open }: LedgerUnderTest): void {
  const fresh = async (t: { teardown(close: () => Promise<void>): void }) => {
    const file = randomUUID()
    const reopen = async () => {
      const ledger = await open(file)
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

  test(`${name}: of claims made at once that contradict each other one is recorded`, async (t) => {
    const { ledger, reopen } = await fresh(t)
    const ledgers = [ledger, await reopen(), await reopen()]
    const contradicting: ((n: number) => { claims: SigningClaim[]; code: string })[] = [
      (n) => ({ claims: ledgers.map(() => newClaim({ sessionId: `session-${n}` })), code: 'signed_otherwise' }),
      (n) => ({ claims: ledgers.map(() => newClaim({ slots: [`slot ${n}`] })), code: 'slot_taken' }),
      (n) => ({ claims: ledgers.map(() => newClaim({ intents: [`intent-${n}`] })), code: 'intent_reused' }),
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
    t.is(ledger.head().sequence, 30n)
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
