import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import test from 'ava'
import { temporaryDataKeys } from '../../adapters/data-keys/testing/temporary-keys.ts'
import { CATALOGUE, currentEvent, versionToWrite } from '../event-catalogue.ts'
import type { RecordedEvent } from '../ports/event-log.ts'
import { type Shape, text } from '../upcasting/shape.ts'
import { openPersonal, personalFields, sealPersonal } from './personal-fields.ts'
import { isSealed } from './sealed.ts'

/** Texts that are ids, addresses, amounts, times, names of keys, codes and what mathematics makes: nobody writes to anybody in them. */
const NOT_PERSONAL = new Set(
  `walletId keyId sessionId transferId accountId depositId partyId coordinatorId tenant kid kty crv x y scheme chain path address publicKey publicPackage digest
  packageDigest parties culprits helpers signers approver approvers granted refused intents approvals by asset amount feeAsset quotedFee usdCents maxFee feePaid
  spent to from hash was nonce deadline requestedAt notBefore since conflicts sessionIds validity hashOfUnsigned height rule numbers code message signature fee until coordinators
  primaryType previous method intent openUntil actor received webhookId resendId eventId types projection wallet
  scavengeId storeScavengeId position archiveRoot`.split(/\s+/),
)
/** What else is in the clear, and why. */
const DECIDED: { readonly [path: string]: string } = {
  'KeyGenerationRequested.authorisation.body': 'scheme, threshold and parties',
  'ShareRecoveryRequested.authorisation.body': 'a party',
  'PolicyChanged.authorisation.body': 'a policy, which parties that were away must be shown for as long as the key lives',
  'SigningRequested.authorisation.body': 'what is signed, which is in the event anyway; that of a transfer comes sealed',
  'SigningRequested.transfer.approvals.body': 'comes sealed',
  'SigningRequested.transfer.replacement.body': 'comes sealed',
  'SigningRequested.payload.data': 'what is signed: without it the signature proves nothing',
  'SigningRequested.payload.unsigned': 'a transaction, which is for everybody to see on its chain',
  'ApprovalGranted.authorisation.body': 'a decision, and the digest of a request without personal fields',
  'TransferRequested.psbt': 'a transaction, which is for everybody to see on its chain',
  'WebhookRegistered.url': 'a server; a webhook is of a tenant, and no wallet has a key for it',
  'WebhookRegistered.description': 'what a tenant calls its server',
  'TransferBuilt.unsigned': 'a transaction, which is for everybody to see on its chain',
  'TransferSigned.raw': 'a transaction, which is for everybody to see on its chain',
  'TransferRequested.publicMemo': 'for everybody to see on its chain',
  'CircuitOpened.reason': 'a code',
  'CircuitClosed.reason': 'a code',
  'TransferStuck.reason': 'a code',
  'TransferDropped.reason': 'a code',
  'ScavengeCompleted.result': 'a code',
  'ScavengeCompleted.error': 'what the event store says of its files',
  'TransferRequested.decision.findings.because': 'a sentence of the policy, made of numbers',
  'TransferApprovalsRevised.decision.findings.because': 'a sentence of the policy, made of numbers',
}

/** Every text in a shape that is not personal, by its path. */
function* openTexts(shape: Shape, path: string): Generator<string> {
  if (shape.isPersonal) return
  if (shape === text) yield path
  for (const part of shape.parts ?? []) yield* openTexts(part, path)
  for (const [field, part] of Object.entries(shape.fields ?? {})) yield* openTexts(part, `${path}.${field}`)
}

const types = CATALOGUE.flatMap(({ streams, schemas }) => Object.entries(schemas).map(([type, { shape }]) => ({ streams, type, shape })))

test('of every text in every event it has been decided whether it is about people', (t) => {
  const open = types.flatMap(({ type, shape }) => [...openTexts(shape, type)])
  const undecided = open.filter((path) => !NOT_PERSONAL.has(path.split('.').at(-1)!) && !(path in DECIDED))
  t.deepEqual(undecided, [])
  t.deepEqual(
    Object.keys(DECIDED).filter((path) => !open.includes(path)),
    [],
  )
})

test('names, memos, reasons, and the signed requests that repeat them are personal', (t) => {
  const personal = types.flatMap(({ streams, type }) => personalFields(streams, type).map((field) => `${type}.${field}`))
  t.deepEqual(personal.toSorted(), [
    'KeyRefreshRequested.authorisation',
    'KeyRevoked.authorisation',
    'KeyRevoked.reason',
    'TransferApprovalRejected.authorisation',
    'TransferApproved.authorisation',
    'TransferBuilt.authorisation',
    'TransferReplacementRequested.authorisation',
    'TransferRequested.authorisation',
    'TransferRequested.memo',
    'WalletCreated.name',
    'WalletFrozen.reason',
    'WalletUnfrozen.reason',
  ])
})

const FOLDERS: { readonly [streams: string]: string } = { 'wallet-': 'wallet', 'keyShare-': 'key-share' }

for (const { streams, type } of types.filter(({ streams, type }) => personalFields(streams, type).length > 0)) {
  test(`${type} is stored sealed, read as it is, and opened to what it was`, async (t) => {
    const { keys } = await temporaryDataKeys(t)
    const schemaVersion = versionToWrite(streams, type)
    const file = join(resolve(import.meta.dirname, '../../../domain'), FOLDERS[streams]!, 'examples', `${type}.v${schemaVersion}.json`)
    const data = JSON.parse(await readFile(file, 'utf8'))
    const sealed = await sealPersonal(keys, streams, { type, data })
    t.deepEqual(await sealPersonal(keys, streams, sealed), sealed)
    const who = { commandId: 'a', correlationId: 'b', causationId: 'c', actor: 'me', tenant: 'acme' }
    const metadata = { ...who, occurredAt: '2026-01-01T00:00:00.000Z', schemaVersion }
    const stored = { ...sealed, stream: `${streams}1`, metadata } as unknown as RecordedEvent
    t.is(currentEvent(stored), stored)
    for (const field of personalFields(streams, type)) {
      if (data[field] !== null) t.true(isSealed(sealed.data[field]), field)
      t.deepEqual(await openPersonal(keys, data.walletId, field, sealed.data[field]), data[field])
    }
  })
}
