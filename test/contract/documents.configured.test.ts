import test from 'ava'
import { documentsContract } from './documents.ts'
import { openDocumentsServer } from './documents-server.ts'

const url = process.env.QUORATE_TEST_MONGODB_URL
if (url) documentsContract(test, () => openDocumentsServer(url))
else test.skip('QUORATE_TEST_MONGODB_URL names no server', () => {})
