import test from 'ava'
import { protocolOf } from '../../domain/threshold/registry.ts'
import type { TestSystem } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'
import { askToSign, PARTY, signatureRequest, startAttackedSystem } from './coordinator.ts'

const scheme = 'frost-secp256k1-tr'
const digest = Buffer.alloc(32, 0xab)
const body = { payload: { kind: 'digest', data: digest.toString('hex') } }

let system: TestSystem

test.before(async () => {
  system = await startAttackedSystem()
})

test.after.always(() => system?.close())

const generate = async (rawDigests: boolean) =>
  system.generateKey(await system.createWallet({ rawDigests }), { scheme, threshold: 1, parties: [PARTY] })

test.serial('a bare digest, which tells nobody what it is of, is signed only where the sealed policy says so', async (t) => {
  for (const rawDigests of [false, true]) {
    const key = await generate(rawDigests)
    const reply = await askToSign(system, key, { authorisation: system.client.authorise(signatureRequest(key, body)) })
    if (rawDigests) t.is(reply.type, 'contributed')
    else t.like(reply, { type: 'refused', code: 'policy_forbids' })
  }
})

test.serial('a digest that is given as a message is signed as one, and its signature is none of the digest itself', async (t) => {
  const key = await generate(false)
  const { signature } = await system.sign(key, digest)
  t.true(isSignature(scheme, key.publicKey!, digest, signature))
  t.false(protocolOf(scheme).verify(Buffer.from(key.publicKey!, 'hex'), digest, Buffer.from(signature!, 'hex')))
})
