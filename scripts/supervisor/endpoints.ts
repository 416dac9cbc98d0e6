import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the servers of a running system answer, for scripts that a person runs beside it. */
export type Endpoints = { api: string; eventStore: string; mongodb: string; nats: string }

const endpointsFile = (dataDir: string) => join(dataDir, 'endpoints.json')

export async function writeEndpoints(dataDir: string, endpoints: Endpoints): Promise<void> {
  await writeFile(endpointsFile(dataDir), JSON.stringify(endpoints, null, 2), { mode: 0o600 })
}

export async function removeEndpoints(dataDir: string): Promise<void> {
  await rm(endpointsFile(dataDir), { force: true })
}

/** Undefined when no system has been started over this data folder, or it was stopped. */
export async function readEndpoints(dataDir: string): Promise<Endpoints | undefined> {
  try {
    return JSON.parse(await readFile(endpointsFile(dataDir), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
