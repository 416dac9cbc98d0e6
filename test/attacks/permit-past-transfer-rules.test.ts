/** Who holds a client's key, and cannot move anything past the rules for transfers, has a permit signed instead, and moves the tokens with it himself. */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { referenceTo } from '../ceremony/by-hand.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { etherAddress } from '../transactions.ts'
import { PARTY, signatureRequest } from './coordinator.ts'
import { isSigned } from './transfers.ts'

const PARTIES = [PARTY, 'party-2']
const [OWNER, THIEF, TOKEN] = [etherAddress(1), etherAddress(2), etherAddress(3)]
const PERMIT2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3'
const MOST = String(2n ** 256n - 1n)

type Member = { name: string; type: string }
/** `address owner, uint256 value` */
const members = (list: string): Member[] =>
  list.split(', ').map((member) => {
    const [type = '', name = ''] = member.split(' ')
    return { name, type }
  })

const typedData = (primaryType: string, structs: { [name: string]: string }, verifyingContract: string, message: object) => ({
  types: Object.fromEntries(Object.entries(structs).map(([name, list]) => [name, members(list)])),
  primaryType,
  domain: { name: 'Token', chainId: 1, verifyingContract },
  message,
})

const authorisation = 'address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce'
const authorised = { from: OWNER, to: THIEF, value: MOST, validAfter: 0, validBefore: MOST, nonce: `0x${'00'.repeat(32)}` }
const PermitDetails = 'address token, uint160 amount, uint48 expiration, uint48 nonce'
const details = { token: TOKEN, amount: 1, expiration: 4_000_000_000, nonce: 0 }
const mail = typedData('Mail', { Mail: 'string contents' }, TOKEN, { contents: 'pay nobody' })

/** What contracts take for an order to move tokens, or to let somebody move them. */
const PERMITS = {
  'ERC-2612': typedData('Permit', { Permit: 'address owner, address spender, uint256 value, uint256 nonce, uint256 deadline' }, TOKEN, {
    owner: OWNER,
    spender: THIEF,
    value: MOST,
    nonce: 0,
    deadline: MOST,
  }),
  DAI: typedData('Permit', { Permit: 'address holder, address spender, uint256 nonce, uint256 expiry, bool allowed' }, TOKEN, {
    ...{ holder: OWNER, spender: THIEF, nonce: 0, expiry: 0, allowed: true },
  }),
  'Permit2, single': typedData(
    'PermitSingle',
    { PermitSingle: 'PermitDetails details, address spender, uint256 sigDeadline', PermitDetails },
    PERMIT2,
    { details, spender: THIEF, sigDeadline: MOST },
  ),
  'Permit2, batch': typedData(
    'PermitBatch',
    { PermitBatch: 'PermitDetails[] details, address spender, uint256 sigDeadline', PermitDetails },
    PERMIT2,
    { details: [details], spender: THIEF, sigDeadline: MOST },
  ),
  'Permit2, transfer': typedData(
    'PermitTransferFrom',
    {
      PermitTransferFrom: 'TokenPermissions permitted, address spender, uint256 nonce, uint256 deadline',
      TokenPermissions: 'address token, uint256 amount',
    },
    PERMIT2,
    { permitted: { token: TOKEN, amount: MOST }, spender: THIEF, nonce: 0, deadline: MOST },
  ),
  'EIP-3009, transfer': typedData('TransferWithAuthorization', { TransferWithAuthorization: authorisation }, TOKEN, authorised),
  'EIP-3009, receive': typedData('ReceiveWithAuthorization', { ReceiveWithAuthorization: authorisation }, TOKEN, authorised),
}

let system: TestSystem
let key: ExistingKeyShare
test.before(async () => {
  system = await startTestSystem({ parties: PARTIES.length })
  const walletId = await system.createWallet({
    rawDigests: false,
    transfers: { destinations: { allow: [] }, typedData: [{ contract: `eip155:1:${TOKEN}`, primaryType: 'Mail' }] },
  })
  key = await system.generateKey(walletId, { scheme: 'dkls23-secp256k1', threshold: 2, parties: PARTIES })
})
test.after.always(() => system?.close())

/** Straight at the party, with no API in front of it. */
function askToSign(data: object): Promise<CeremonyReply> {
  const authorisation = system.client.authorise(signatureRequest(key, { payload: { kind: 'eip712', typedData: data } }))
  const task = { share: referenceTo(key), path: 'm', signers: PARTIES, authorisation, approvals: [], transaction: null }
  const header = { scheme: key.scheme, kind: 'signing', ceremonyId: randomUUID(), attempt: 1, round: 1, to: PARTY } as const
  return system.channel.ask(header, { type: 'signTogether', task }, { timeoutMs: 30_000 })
}

for (const [standard, permit] of Object.entries(PERMITS))
  test.serial(`a permit of ${standard} is refused by the party`, async (t) => {
    t.like(await askToSign(permit), { type: 'refused', code: 'policy_forbids' })
  })

test.serial('what the policy names is signed, and nothing that only resembles it', async (t) => {
  t.true(isSigned(await askToSign(mail)))
  const { chainId: _, ...anywhere } = mail.domain
  for (const domain of [{ ...mail.domain, chainId: 137 }, { ...mail.domain, verifyingContract: PERMIT2 }, anywhere])
    t.like(await askToSign({ ...mail, domain }), { type: 'refused', code: 'policy_forbids' })
})
