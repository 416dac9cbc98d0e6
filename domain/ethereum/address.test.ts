import test from 'ava'
import { isAddress, withChecksum } from './address.ts'

/** Test cases of ERC-55. */
const CHECKSUMMED = [
  '0x52908400098527886E0F7030069857D2E4169EE7',
  '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
  '0xde709f2102306220921060314715629080e2fb77',
  '0x27b1fdb04752bbc536007a920d24acb045561c26',
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
]

for (const address of CHECKSUMMED) {
  test(`${address} has its checksum, and can do without`, (t) => {
    t.is(withChecksum(address.toLowerCase()), address)
    t.true(isAddress(address))
    t.true(isAddress(address.toLowerCase()))
  })
}

test('one letter of the wrong case is no checksum, and nothing else is an address', (t) => {
  const address = CHECKSUMMED[4]!
  for (const wrong of [
    address.replace('aA', 'AA'),
    `0x${address.slice(2).toUpperCase()}`,
    address.slice(2),
    address.slice(0, -1),
    `${address}0`,
    `0X${address.slice(2).toLowerCase()}`,
    `${address.slice(0, -1)}g`,
    ` ${address}`,
    `${address}\n`,
  ])
    t.false(isAddress(wrong), wrong)
})
