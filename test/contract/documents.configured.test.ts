import test from 'ava'

const url = process.env.QUORATE_TEST_MONGODB_URL
if (url) {
  const [{ documentsContract }, { openDocumentsServer }] = await Promise.all([import('./documents.ts'), import('./documents-server.ts')])
  documentsContract(test, () => openDocumentsServer(url))
} else test.skip('QUORATE_TEST_MONGODB_URL names no server', () => {})
