import type { Messages } from '../domain/ports/messages.ts'
import type { PartyHealth } from '../domain/ports/party-directory.ts'

const EVERY_MS = 1_000

/** Says how the party is every second, and whenever asked, until the returned function is called. */
export function announceHealth(messages: Messages, partyId: string, health: () => Promise<PartyHealth>): () => Promise<void> {
  const subject = `quorate.party.${partyId}.health`
  const encoded = async () => new TextEncoder().encode(JSON.stringify(await health()))
  const stop = messages.serve(subject, encoded)
  const announce = async () => messages.publish(subject, await encoded())
  void announce()
  const timer = setInterval(announce, EVERY_MS).unref()
  return async () => {
    clearInterval(timer)
    await stop()
  }
}
