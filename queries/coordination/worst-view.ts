import { CIRCUIT_STATES, type Coordinators, type PartyReport } from '../../domain/ports/coordinators.ts'

/** A party as one coordinator sees it. */
export type PartyView = PartyReport & { coordinatorId: string }

/** How the coordinators see a party, one entry each. */
export const viewsOf = (coordinators: Pick<Coordinators, 'reports'>, partyId: string): PartyView[] =>
  coordinators.reports().flatMap(({ coordinatorId, parties }) => {
    const party = parties.find((each) => each.partyId === partyId)
    return party ? [{ coordinatorId, ...party }] : []
  })

/** The worst that any of them thinks; undefined where nobody says anything. */
export function worstCircuit(views: readonly PartyReport[]): PartyReport['circuit'] | undefined {
  return CIRCUIT_STATES.findLast((state) => views.some(({ circuit }) => circuit === state))
}

/** The least score that any of them gives. */
export const worstScore = (views: readonly PartyReport[]): number | undefined => least(views.map(({ score }) => score))

const least = (values: readonly number[]): number | undefined => (values.length === 0 ? undefined : Math.min(...values))
