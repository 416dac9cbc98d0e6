import { testWholeLives } from '../testing/life-of-a-key.ts'

testWholeLives('dkls23-secp256k1')
