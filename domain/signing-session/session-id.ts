import { uuidv5 } from '../uuid.ts'

/** Namespace of the ids of sessions that sign transactions. Never to change: a session that is asked for again is to be the one that is there. */
const NAMESPACE = 'c4f1a7de-20b9-5e3c-8d56-91e07b2f6a43'

/** The one session for message `index` of the transaction that is this version of a transfer's; another one for each attempt, after the one before has failed. */
export const sessionIdOf = (transferId: string, version: number, index: number, attempt = 1): string =>
  uuidv5([transferId, version, index, ...(attempt > 1 ? [attempt] : [])].join('/'), NAMESPACE)
