import test from 'ava'
import { requestTransactionSignatures } from '../../commands/processes/transaction-signing.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { startTestSystem } from '../ceremony/system.ts'
import { chains, ETHER, ETHEREUM, etherAddress, evmTransaction, senderOf } from '../transactions.ts'
import { transferRequest } from './transfers.ts'

const PARTIES = ['party-1', 'party-2']

test('an Ethereum transaction, which does not say who pays, is signed for one account of the wallet, not for a second one as well', async (t) => {
  const system = await startTestSystem({ parties: PARTIES.length, chains })
  t.teardown(system.close)
  const walletId = await system.createWallet()
  const generate = () => system.generateKey(walletId, { scheme: 'dkls23-secp256k1', threshold: 2, parties: PARTIES })
  const [key, other] = [await generate(), await generate()]
  const payment = { to: etherAddress(1), amount: 1_000n }
  const transfer = transferRequest(system, walletId, { chain: ETHEREUM, asset: ETHER, to: payment.to, amount: '1000' })
  const unsigned = evmTransaction(payment)
  const codec = await chains.get(ETHEREUM)!.transactions()

  const sign = async ({ keyId, scheme }: ExistingKeyShare, path: string, version: number) => {
    const sender = senderOf(keyId === key.keyId ? key : other, ETHEREUM, path)
    const [sessionId] = await requestTransactionSignatures(
      system.log,
      {
        ...transfer,
        ...{ walletId, tenant: 'test', keyId, scheme, path, version, attempt: 1, chain: ETHEREUM, unsigned },
        publicKey: Buffer.from(sender.publicKey).toString('hex'),
        messages: codec.messages(unsigned, sender),
        ...{ signers: 2, approvals: [], replacement: null },
        deadline: new Date(Date.now() + 60_000).toISOString(),
      },
      { correlationId: 'test', causationId: 'test', actor: 'attacker', tenant: 'test' },
    )
    return system.outcome(sessionId!)
  }
  t.like(await sign(key, 'm', 1), { status: 'signed' })
  t.like(await sign(key, 'm/1', 2), { status: 'failed', failure: { code: 'signed_already' } })
  t.like(await sign(other, 'm', 3), { status: 'failed', failure: { code: 'signed_already' } })
  t.like(await sign(key, 'm', 4), { status: 'signed' }, 'the same again')
})
