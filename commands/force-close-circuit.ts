import { randomUUID } from 'node:crypto'
import { versionToWrite } from '../domain/event-catalogue.ts'
import { type PartyEvent, partyStream } from '../domain/party/events.ts'
import { CIRCUIT_STATES } from '../domain/ports/coordinators.ts'
import { Unavailable } from '../domain/ports/event-log.ts'
import { noSuch } from '../http/problem.ts'
import { route } from '../http/route.ts'
import type { CommandDependencies } from './dependencies.ts'
import { eventId } from './execute.ts'
import { contextOf } from './request-context.ts'

const PARTY_ID = /^[A-Za-z0-9][\w-]{0,63}$/

export const forceCloseCircuit = ({ log, parties, coordinators }: CommandDependencies) =>
  route({
    method: 'POST',
    path: '/v1/admin/circuits/:partyId/force-close',
    tag: 'operations',
    summary: 'Have the coordinators ask a party again that they have given up for a while',
    description:
      'Every coordinator forgets what spoke against the party. One that goes on failing is given up again. To be repeated at will.',
    roles: ['operator'],
    platform: true,
    identifiers: { partyId: PARTY_ID },
    answers: {
      200: {
        description: 'What the coordinators have answered',
        schema: {
          title: 'ForcedClosure',
          type: 'object',
          required: ['partyId', 'circuits', 'silent'],
          properties: {
            partyId: { type: 'string' },
            circuits: {
              type: 'array',
              items: {
                type: 'object',
                required: ['coordinatorId', 'circuit'],
                properties: { coordinatorId: { type: 'string' }, circuit: { type: 'string', enum: [...CIRCUIT_STATES] } },
              },
            },
            silent: { type: 'array', items: { type: 'string' }, description: 'Coordinators that have not answered: ask again.' },
          },
        },
      },
    },
    async handle(request) {
      const { partyId } = request.params
      if (!parties.ids.includes(partyId)) throw noSuch('partyId')
      const heard = coordinators.reports().map(({ coordinatorId }) => coordinatorId)
      if (heard.length === 0) throw new Unavailable('coordinators')
      const { type, data }: PartyEvent = {
        type: 'CircuitForceClosed',
        data: { partyId, coordinators: heard },
      }
      const stream = partyStream(partyId)
      const { traceparent, ...context } = contextOf(request, request.principal.tenant)
      const metadata = {
        ...context,
        occurredAt: new Date().toISOString(),
        schemaVersion: versionToWrite(stream, type),
        ...(traceparent === undefined ? {} : { traceparent }),
      }
      const { revision } = await log.append(stream, 'any', [
        { id: request.idempotencyKey ? eventId(context, 0) : randomUUID(), type, data, metadata },
      ])
      return { status: 200, body: { partyId, ...(await coordinators.forceClose({ partyId, revision })) } }
    },
  })
