import test from 'ava'
import { MODES, runOnEmbedded } from './embedded.ts'
import { differs, isQuirk, listScenarios } from './scenarios.ts'

/** Of so many scenarios one is run in each mode, another one in each: `npm run test:conformance` runs all of them in both. */
const EVERY = 8

for (const [turn, mode] of MODES.entries()) {
  test(`the embedded event store, ${mode === 'disk' ? 'on disk' : 'in memory'}, answers its share of the scenarios as the real one does`, async (t) => {
    t.timeout(5 * 60_000)
    const names = await listScenarios()
    t.true(names.length >= 457)
    const share = names.filter((_, index) => index % EVERY === turn)
    const different = (await runOnEmbedded(mode, share, { servers: 2 })).filter(differs)
    for (const { name } of different.filter(isQuirk)) t.log(`differs, and may: ${name}`)
    t.deepEqual(
      different.filter((outcome) => !isQuirk(outcome)),
      [],
    )
  })
}
