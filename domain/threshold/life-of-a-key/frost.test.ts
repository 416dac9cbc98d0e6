import { testRecoveries, testRefreshes, testWholeLives } from '../testing/life-of-a-key.ts'

for (const scheme of ['frost-ed25519', 'frost-secp256k1-tr'] as const) {
  testRefreshes(scheme)
  testRecoveries(scheme)
  testWholeLives(scheme)
}
