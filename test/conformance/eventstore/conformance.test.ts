import test from 'ava'
import { MODES, runOnEmbedded } from './embedded.ts'
import { differs, isQuirk, listScenarios } from './scenarios.ts'

for (const mode of MODES) {
  test(`the embedded event store, ${mode === 'disk' ? 'on disk' : 'in memory'}, answers every scenario as the real one does`, async (t) => {
    t.timeout(5 * 60_000)
    const names = await listScenarios()
    t.true(names.length >= 457)
    const different = (await runOnEmbedded(mode, names)).filter(differs)
    for (const { name } of different.filter(isQuirk)) t.log(`differs, and may: ${name}`)
    t.deepEqual(
      different.filter((outcome) => !isQuirk(outcome)),
      [],
    )
  })
}
