import { testRefreshes } from '../testing/life-of-a-key.ts'

testRefreshes('dkls23-secp256k1')
