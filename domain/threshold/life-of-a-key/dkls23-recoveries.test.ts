import { testRecoveries } from '../testing/life-of-a-key.ts'

testRecoveries('dkls23-secp256k1')
