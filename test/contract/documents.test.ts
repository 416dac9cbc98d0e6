import test from 'ava'
import { startEmbeddedMongo } from '../../adapters/embedded/mongodb/server.ts'
import { documentsContract } from './documents.ts'
import { openDocumentsServer } from './documents-server.ts'

documentsContract(test, async () => {
  const server = await startEmbeddedMongo({ port: 0 })
  return openDocumentsServer(server.url, { kind: 'the embedded server', close: server.close })
})
