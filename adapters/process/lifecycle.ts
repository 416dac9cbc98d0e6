import { FolderInUse } from './folder-lock.ts'
import { InvalidSetting } from './settings.ts'

/** What a process tells its supervisor once it serves. */
export type Ready = { ready: true; [detail: string]: string | number | boolean | undefined }

export type Service = { details?: { [detail: string]: string | number | undefined }; close(): Promise<void> }

const CLOSE_WITHIN_MS = 8_000

/**
 * Runs a process from start to orderly end: starts the service, tells the supervisor (over IPC, when there is one) that it is ready,
 * and closes on SIGTERM, on SIGINT, or when the supervisor is gone, so that no process outlives it.
 */
export async function runProcess(name: string, start: () => Promise<Service>): Promise<void> {
  const supervised = process.send !== undefined
  const stopped = new Promise<string>((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'))
    if (supervised) {
      // Ctrl-C reaches the whole process group; the supervisor decides who stops when.
      process.on('SIGINT', () => {})
      process.once('disconnect', () => resolve('the supervisor is gone'))
    } else process.once('SIGINT', () => resolve('SIGINT'))
  })
  let service: Service
  try {
    service = await start()
  } catch (error) {
    console.error(`${name}: ${error instanceof InvalidSetting || error instanceof FolderInUse ? error.message : (error as Error).stack}`)
    process.exit(1)
  }
  process.send?.({ ...service.details, ready: true } satisfies Ready)
  await stopped
  const forced = setTimeout(() => process.exit(1), CLOSE_WITHIN_MS)
  try {
    await service.close()
  } catch (error) {
    console.error(`${name}: did not close cleanly: ${(error as Error).message}`)
  }
  clearTimeout(forced)
  process.exit(0)
}
