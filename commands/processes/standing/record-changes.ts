import { randomUUID } from 'node:crypto'
import { versionToWrite } from '../../../domain/event-catalogue.ts'
import { type PartyEvent, partyStream } from '../../../domain/party/events.ts'
import type { EventLog } from '../../../domain/ports/event-log.ts'
import { PLATFORM_TENANT } from '../../../http/route.ts'
import type { CircuitChange } from './party-standing.ts'

const ACTOR = 'signing'

/** Records each change of a circuit in the party's stream; what an operator forces is recorded with who did it, by the command. A change that cannot be written is lost. */
export function recordChanges(
  log: Pick<EventLog, 'append'>,
  coordinatorId: string,
  onFailure: (error: unknown) => void,
): (change: CircuitChange) => void {
  return (change) => {
    if (change.to === 'closed' && change.reason === 'forced') return
    const { partyId } = change
    const about = { partyId, coordinatorId, reason: change.reason }
    const { type, data }: PartyEvent =
      change.to === 'open'
        ? { type: 'CircuitOpened', data: { ...about, until: new Date(change.until).toISOString() } }
        : { type: 'CircuitClosed', data: about }
    const id = randomUUID()
    const stream = partyStream(partyId)
    const metadata = {
      commandId: id,
      correlationId: id,
      causationId: id,
      actor: ACTOR,
      tenant: PLATFORM_TENANT,
      occurredAt: new Date().toISOString(),
      schemaVersion: versionToWrite(stream, type),
    }
    log.append(stream, 'any', [{ id, type, data, metadata }]).catch(onFailure)
  }
}
