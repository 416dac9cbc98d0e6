import type { Coordinators } from '../domain/ports/coordinators.ts'
import type { Document } from '../domain/ports/documents.ts'
import type { PartyDirectory } from '../domain/ports/party-directory.ts'
import { route } from '../http/route.ts'
import { viewsOf, worstCircuit, worstScore } from './coordination/worst-view.ts'
import { present } from './present.ts'
import { type ReadModels, readList } from './read-model.ts'
import { PARTY, pageOf } from './shapes.ts'

/** What a party that has done nothing yet has done. */
const NOTHING = { sharesGenerated: 0, signatures: 0, failures: 0 }
/** More than a deployment can have; those of the past included. */
const MAX_PARTIES = 200

export const listParties = (models: ReadModels, parties: PartyDirectory, coordinators: Pick<Coordinators, 'reports'>) =>
  route({
    method: 'GET',
    path: '/v1/parties',
    tag: 'operations',
    summary: 'The signing parties, and what each has done',
    roles: ['operator'],
    platform: true,
    answers: { 200: { description: 'The parties, in the order of their ids', schema: pageOf(PARTY) } },
    async handle(request) {
      const { found, asOf } = await readList(models, request, 'parties', { where: {}, by: '_id', direction: 'asc', limit: MAX_PARTIES })
      const known = new Map(found.map((document) => [document._id, document]))
      const ids = [...new Set([...parties.ids, ...known.keys()])].sort()
      const items = ids.map((partyId) => {
        const views = viewsOf(coordinators, partyId)
        const document: Document = {
          _id: partyId,
          partyId,
          ...NOTHING,
          ...known.get(partyId),
          up: parties.isUp(partyId),
          ...parties.health(partyId),
          circuit: worstCircuit(views) ?? null,
          health: worstScore(views) ?? null,
          coordinators: views.map(({ partyId: _, ...view }) => view),
        }
        return present(document, PARTY)
      })
      return { status: 200, body: { items, nextCursor: null }, ...asOf }
    },
  })
