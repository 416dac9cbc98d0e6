import type { Doc } from '../document.ts'
import { CommandError } from '../errors.ts'
import { encodeDocument, type Request } from '../wire/messages.ts'
import { catalogCommands } from './catalog.ts'
import type { Call, Commands, Reply, Server } from './command.ts'
import { handshakeCommands } from './handshake.ts'
import { readCommands } from './read.ts'
import { writeCommands } from './write.ts'

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

/** Runs one request and answers with one BSON document. Never throws. */
export function answer(server: Server, connectionId: number, request: Request): Uint8Array {
  try {
    if ('error' in request) throw request.error
    const { body } = request
    const [name = ''] = Object.keys(body)
    const database = typeof body.$db === 'string' ? body.$db : ''
    const reply = run({ server, connectionId, database, name, body })
    return reply instanceof Uint8Array ? reply : encodeDocument({ ...reply, ok: 1 })
  } catch (error) {
    return encodeDocument(failure(error))
  }
}
