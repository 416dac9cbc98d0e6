import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { personalMessageDigest } from './personal-message.ts'

/** As ethers and viem have them in their documentation and tests. */
for (const [message, digest] of [
  [utf8ToBytes('Hello World'), 'a1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2'],
  [utf8ToBytes('hello world'), 'd9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68'],
  [utf8ToBytes('🤗'), '716ce69c5d2d629c168bc02e24a961456bdc5a362d366119305aea73978a0332'],
  [hexToBytes('4243'), '0d3abc18ec299cf9b42ba439ac6f7e3e6ec9f5c048943704e30fc2d9c7981438'],
  [new Uint8Array(0), '5f35dce98ba4fba25530a026ed80b2cecdaa31091ba4958b99b52ea1d068adad'],
] as const) {
  test(`a message of ${message.length} bytes is hashed behind its length: ${digest.slice(0, 8)}`, (t) => {
    t.is(bytesToHex(personalMessageDigest(message)), digest)
  })
}
