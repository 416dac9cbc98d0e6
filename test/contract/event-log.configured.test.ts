import test from 'ava'
import { eventLogContract } from './event-log.ts'

const url = process.env.QUORATE_TEST_EVENTSTORE_URL
if (url) eventLogContract(test, `event store at ${url.replace(/\/\/[^@/]*@/, '//')}`, async () => ({ url, close: async () => {} }))
else test.skip('QUORATE_TEST_EVENTSTORE_URL names no server', () => {})
