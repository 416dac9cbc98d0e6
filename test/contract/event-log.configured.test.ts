import test from 'ava'

const url = process.env.QUORATE_TEST_EVENTSTORE_URL
if (url) {
  const { eventLogContract } = await import('./event-log.ts')
  eventLogContract(test, `event store at ${url.replace(/\/\/[^@/]*@/, '//')}`, async () => ({ url, close: async () => {} }))
} else test.skip('QUORATE_TEST_EVENTSTORE_URL names no server', () => {})
