import test from 'ava'
import type { TransferRules } from './rules.ts'
import { allowsTypedData } from './typed-data.ts'

const contract = 'eip155:1:0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC'
const mail = { contract, primaryType: 'Mail' }
const allows = (rules: TransferRules | undefined, purpose: { contract: string | null; primaryType: string } = mail) =>
  allowsTypedData(rules, purpose)

test('where nothing is said of transfers everything is signed, and else what is named', (t) => {
  t.true(allows(undefined))
  t.true(allows(undefined, { ...mail, contract: null }))
  t.false(allows({}))
  t.false(allows({ typedData: [] }))
  t.true(allows({ typedData: 'any' }, { ...mail, contract: null }))
  t.true(allows({ typedData: [mail] }))
  t.true(allows({ typedData: [{ ...mail, contract: contract.toLowerCase() }] }))
})

test('what is named is contract, chain and type together', (t) => {
  for (const purpose of [
    { ...mail, primaryType: 'Permit' },
    { ...mail, contract: contract.replace('eip155:1:', 'eip155:137:') },
    { ...mail, contract: contract.replace('0xC', '0xD') },
    { ...mail, contract: null },
  ])
    t.false(allows({ typedData: [mail] }, purpose))
})
