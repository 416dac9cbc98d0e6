import { encodeDocument } from '../bson/encode.ts'
import { type Doc, MAX_DOCUMENT_BYTES } from '../document.ts'
import { CommandError } from '../errors.ts'
import type { Request } from '../wire/messages.ts'
import { catalogCommands } from './catalog.ts'
import type { Call, Commands, Reply, Server } from './command.ts'
import { handshakeCommands } from './handshake.ts'
import { readCommands } from './read.ts'
import { writeCommands } from './write.ts'

/** A document of the largest size and what stands around it, as in MongoDB. */
const MAX_REPLY_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024

const COMMANDS: Commands = { ...handshakeCommands, ...readCommands, ...writeCommands, ...catalogCommands }

/** Sessions are accepted, transactions are not: there is one copy of the data and nothing to roll back. */
function refuseTransactions(name: string, body: Doc): void {
  if (body.txnNumber !== undefined || body.startTransaction === true || name === 'commitTransaction' || name === 'abortTransaction')
    throw new CommandError('CommandNotSupported', 'the embedded server has no transactions')
}

function run(call: Call): Reply {
  const command = Object.hasOwn(COMMANDS, call.name) ? COMMANDS[call.name] : undefined
  refuseTransactions(call.name, call.body)
  if (!command) throw new CommandError('CommandNotFound', `no such command: '${call.name}'`)
  return command(call)
}

/** What mingo and the codec throw is about the command, not about this server; it is told to the client and to nobody else. */
function asCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error
  return new CommandError('BadValue', error instanceof Error ? error.message : String(error))
}

function failure(error: unknown): Doc {
  const { code, codeName, message, details } = asCommandError(error)
  return { ok: 0, errmsg: message, code, codeName, ...details }
}

function encodeReply(reply: Doc): Uint8Array {
  const encoded = encodeDocument(reply)
  if (encoded.length > MAX_REPLY_BYTES) throw new CommandError('BSONObjectTooLarge', 'the answer is too large for one document')
  return encoded
}

/** Runs one request and answers with one BSON document. Never throws. */
export function answer(server: Server, connectionId: number, request: Request): Uint8Array {
  try {
    if ('error' in request) throw request.error
    const { body, sequences } = request
    const [name = ''] = Object.keys(body)
    const database = typeof body.$db === 'string' ? body.$db : ''
    const reply = run({ server, connectionId, database, name, body, sequences })
    return reply instanceof Uint8Array ? reply : encodeReply({ ...reply, ok: 1 })
  } catch (error) {
    return encodeDocument(failure(error))
  }
}
