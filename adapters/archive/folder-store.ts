import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ArchiveStore, NotRetrieved, type StoredObject } from '../../domain/ports/archive.ts'

/** Objects that are being written; whatever is found there was not finished. */
const UNFINISHED = '.unfinished'
/** What is cold lies apart, to be put on cheaper disks; what was asked for is copied back. */
const COLD = 'cold'

/** An archive in a folder, such as one on a network disk. Its cold tier is the folder `cold` in it, and what is retrieved from there is readable at once. */
export function folderStore(folder: string): ArchiveStore {
  const fileOf = (name: string) => join(folder, ...name.split('/'))
  const coldFileOf = (name: string) => join(folder, COLD, ...name.split('/'))

  return {
    place: folder,

    async put(name, content) {
      const temporary = join(folder, UNFINISHED, randomUUID())
      await makeFolder(dirname(temporary))
      const file = fileOf(name)
      await makeFolder(dirname(file))
      try {
        await writeDurably(temporary, content)
        if (await isThere(coldFileOf(name))) return false
        // Unlike a rename it leaves alone what is there.
        await link(temporary, file)
        await syncFolder(dirname(file))
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        // Whoever put it there may have died before it was there for good.
        await syncFolder(dirname(file))
        return false
      } finally {
        await rm(temporary, { force: true })
      }
    },

    async get(name) {
      const content = await readIfThere(fileOf(name))
      if (content === undefined && (await isThere(coldFileOf(name)))) throw new NotRetrieved(name)
      return content
    },

    async *list(prefix) {
      const [warm, cold] = await Promise.all([namesIn(folder, prefix), namesIn(join(folder, COLD), prefix)])
      const names = [...new Set([...warm, ...cold])].sort()
      for (const name of names) {
        const isCold = cold.includes(name)
        const isReadable = warm.includes(name)
        const { size } = await stat(isCold ? coldFileOf(name) : fileOf(name))
        const object: StoredObject = {
          name,
          bytes: size,
          tier: isCold ? 'cold' : 'warm',
          retrieval: isCold && isReadable ? 'readable' : 'none',
        }
        yield object
      }
    },

    async moveTo(tier, name) {
      const [from, to] = tier === 'cold' ? [fileOf(name), coldFileOf(name)] : [coldFileOf(name), fileOf(name)]
      if (await isThere(to)) return void (await rm(from, { force: true }))
      await makeFolder(dirname(to))
      await rename(from, to)
      await Promise.all([syncFolder(dirname(from)), syncFolder(dirname(to))])
    },

    async retrieve(name) {
      if (await isThere(fileOf(name))) return
      await makeFolder(dirname(fileOf(name)))
      await link(coldFileOf(name), fileOf(name))
      await syncFolder(dirname(fileOf(name)))
    },

    async close() {},
  }
}

async function writeDurably(file: string, content: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o640)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the folder and, where it was missing, sees to it that the one above knows of it for good. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true })
  if (first !== undefined) for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function namesIn(root: string, prefix: string): Promise<string[]> {
  const folder = prefix.replace(/\/$/, '')
  try {
    return (await readdir(join(root, folder))).map((name) => `${folder}/${name}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const isThere = async (file: string) =>
  stat(file).then(
    () => true,
    () => false,
  )
