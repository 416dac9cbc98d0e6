import test from 'ava'
import { badParty, FAULTS, runFault } from './fault-run.ts'

/** `npm run test:faults` asks for more, and wants the machine for itself. */
const wanted = process.env.QUORATE_FAULT_SESSIONS
const SESSIONS = Number(wanted ?? 30)
const P95_MS = 1_000

for (const fault of FAULTS) {
  test.serial(
    `with one party of five ${fault}, over a bad network, 3-of-5 signatures are made in time and the party is named`,
    async (t) => {
      const { sessions, signed, failures, p50, p95, most, before, culprits, parties, isUp, network } = await runFault(fault, SESSIONS)
      const bad = parties.find(({ partyId }) => partyId === badParty)!
      const others = parties.filter(({ partyId }) => partyId !== badParty)
      t.log(
        `${signed} of ${sessions} signed, p50 ${p50} ms, p95 ${p95} ms, most ${most} ms, p50 before ${before} ms; ${failures.join(', ') || 'no failures'}`,
      )
      t.log(
        `${badParty}: ${bad.circuit}, score ${bad.score.toFixed(2)}; the others ${others.map(({ score }) => score.toFixed(2)).join(', ')}`,
      )
      t.log(`culprits ${JSON.stringify(culprits)}; network ${JSON.stringify(network)}`)
      t.true(signed >= 0.99 * sessions)
      // Among other tests, a machine may be so busy that nothing is done in time: then a bad party must not make it much worse.
      t.true(p95 < (wanted ? P95_MS : Math.max(P95_MS, 4 * before)))
      t.true(bad.circuit !== 'closed' || others.every(({ score }) => bad.score < score) || !isUp(badParty))
      if (fault === 'lying') t.true(culprits[badParty]! > 0 && bad.circuit !== 'closed')
      t.true(others.every(({ circuit }) => circuit === 'closed'))
      t.true(network.repeated > 0 && network.stalled > 0 && (fault !== 'flapping' || network.cut > 0))
    },
  )
}
