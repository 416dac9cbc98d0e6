import { Long, ObjectId } from 'bson'
import { MAX_DOCUMENT_BYTES } from '../document.ts'
import { MAX_MESSAGE_BYTES } from '../wire/frames.ts'
import type { Command, Commands } from './command.ts'
import { MAX_WRITE_BATCH } from './write.ts'

const VERSION = '7.0.0'
/** Of MongoDB 7.0. */
const MAX_WIRE_VERSION = 21
const SESSION_TIMEOUT_MINUTES = 30

/** Of this process. The driver begins its monitoring anew when a connection is lost only where it was told one. */
const TOPOLOGY_VERSION = { processId: new ObjectId(), counter: Long.ZERO }

const hello: Command = ({ connectionId, name }) => ({
  ...(name === 'hello' ? { isWritablePrimary: true } : { ismaster: true }),
  helloOk: true,
  maxBsonObjectSize: MAX_DOCUMENT_BYTES,
  maxMessageSizeBytes: MAX_MESSAGE_BYTES,
  maxWriteBatchSize: MAX_WRITE_BATCH,
  localTime: new Date(),
  logicalSessionTimeoutMinutes: SESSION_TIMEOUT_MINUTES,
  connectionId,
  minWireVersion: 0,
  maxWireVersion: MAX_WIRE_VERSION,
  topologyVersion: TOPOLOGY_VERSION,
  readOnly: false,
})

const acknowledge: Command = () => ({})

/** What a client says and asks about the server and its session. Sessions carry no state here, so they are only acknowledged. */
export const handshakeCommands: Commands = {
  hello,
  isMaster: hello,
  ismaster: hello,
  ping: acknowledge,
  endSessions: acknowledge,
  refreshSessions: acknowledge,
  killSessions: acknowledge,
  buildInfo: () => ({
    version: VERSION,
    versionArray: [...VERSION.split('.').map(Number), 0],
    gitVersion: 'embedded',
    modules: ['quorate-embedded'],
    bits: 64,
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    storageEngines: ['memory'],
  }),
  connectionStatus: () => ({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] } }),
  getParameter: () => ({ featureCompatibilityVersion: { version: VERSION.slice(0, 3) } }),
  serverStatus: ({ server }) => ({
    version: VERSION,
    process: 'quorate-embedded',
    pid: process.pid,
    uptime: (Date.now() - server.startedAt) / 1000,
    localTime: new Date(),
    storageEngine: { name: 'memory', persistent: false },
  }),
}
