import { randomUUID } from 'node:crypto'
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ArchiveStore, type ByteRange, NotRetrieved, type StoredObject } from '../../domain/ports/archive.ts'

/** Objects that are being written, by their names; whatever is found there was not finished. */
const UNFINISHED = '.unfinished'
/** What is cold lies apart, to be put on cheaper disks; what was asked for is copied back. */
const COLD = 'cold'

/** An archive in a folder, such as one on a network disk. Its cold tier is the folder `cold` in it, and what is retrieved from there is readable at once. */
export function folderStore(folder: string): ArchiveStore {
  const cold = join(folder, COLD)
  const fileOf = (name: string) => join(folder, ...name.split('/'))
  const coldFileOf = (name: string) => join(cold, ...name.split('/'))

  return {
    place: folder,

    async put(name, content) {
      const file = fileOf(name)
      await makeFolder(dirname(file))
      if (await isThere(coldFileOf(name))) return false
      return putWhole(folder, name, (draft) => writeDurably(draft, content))
    },

    async get(name, range) {
      const content = await readIfThere(fileOf(name), range)
      if (content === undefined && (await isThere(coldFileOf(name)))) throw new NotRetrieved(name)
      return content
    },

    async *list(prefix) {
      const [warmNames, coldNames] = await Promise.all([namesIn(folder, prefix), namesIn(cold, prefix)])
      const isWarm = new Set(warmNames)
      const isCold = new Set(coldNames)
      for (const name of [...new Set([...warmNames, ...coldNames])].sort()) {
        const { size } = await stat(isCold.has(name) ? coldFileOf(name) : fileOf(name))
        const object: StoredObject = {
          name,
          bytes: size,
          tier: isCold.has(name) ? 'cold' : 'warm',
          retrieval: isCold.has(name) && isWarm.has(name) ? 'readable' : 'none',
        }
        yield object
      }
    },

    async moveTo(tier, name) {
      const [from, root, to] = tier === 'cold' ? [fileOf(name), cold, coldFileOf(name)] : [coldFileOf(name), folder, fileOf(name)]
      if (!(await isThere(to))) await moveOrCopy(from, root, name)
      else await rm(from, { force: true })
    },

    async retrieve(name) {
      if (await isThere(fileOf(name))) return
      await makeFolder(dirname(fileOf(name)))
      try {
        await link(coldFileOf(name), fileOf(name))
        await syncFolder(dirname(fileOf(name)))
      } catch (error) {
        if (codeOf(error) !== 'EXDEV') throw error
        await copyWhole(coldFileOf(name), folder, name)
      }
    },

    async discard(prefix, except) {
      const drafts = await readdirIfThere(join(folder, UNFINISHED))
      for (const draft of drafts) if (draft.startsWith(draftPrefix(prefix))) await rm(join(folder, UNFINISHED, draft), { force: true })
      for (const name of await namesIn(folder, prefix)) if (!except.includes(name)) await rm(fileOf(name), { force: true })
    },

    async close() {},
  }
}

/** A draft bears the name of what it is to become, so that it is known whose it is. */
const draftPrefix = (name: string) => name.replaceAll('/', '+')

/**
 * Puts a file under its name, whole or not at all: a draft first, and then a link, which unlike a rename leaves alone what is there.
 * @returns whether it is this one that is there now
 */
async function putWhole(root: string, name: string, write: (draft: string) => Promise<void>): Promise<boolean> {
  const file = join(root, ...name.split('/'))
  const draft = join(root, UNFINISHED, `${draftPrefix(name)}.${randomUUID()}`)
  await makeFolder(dirname(draft))
  try {
    await write(draft)
    await link(draft, file)
    await syncFolder(dirname(file))
    return true
  } catch (error) {
    // Whoever put it there may have died before it was there for good; and who has it there discards the drafts of others.
    if (codeOf(error) !== 'EEXIST' && !(codeOf(error) === 'ENOENT' && (await isThere(file)))) throw error
    await syncFolder(dirname(file))
    return false
  } finally {
    await rm(draft, { force: true })
  }
}

/** The folder may be on another disk: then it is there before it is gone here. */
async function moveOrCopy(from: string, root: string, name: string): Promise<void> {
  const to = join(root, ...name.split('/'))
  await makeFolder(dirname(to))
  try {
    await rename(from, to)
    await syncFolder(dirname(to))
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error
    await copyWhole(from, root, name)
    await rm(from)
  }
  await syncFolder(dirname(from))
}

async function copyWhole(from: string, root: string, name: string): Promise<void> {
  await putWhole(root, name, async (draft) => {
    await copyFile(from, draft)
    await syncFile(draft)
  })
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

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A folder is synced as a file is: its names are then there for good. */
const syncFolder = syncFile

/** Makes the folder and, where it was missing, sees to it that the one above knows of it for good. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true })
  if (first !== undefined) for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

/** Names that begin with the prefix, which ends in a folder or in the beginning of a file's name. */
async function namesIn(root: string, prefix: string): Promise<string[]> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/'))
  const names = (await readdirIfThere(join(root, folder))).map((name) => `${folder}/${name}`)
  return names.filter((name) => name.startsWith(prefix))
}

async function readdirIfThere(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

async function readIfThere(file: string, range: ByteRange | undefined): Promise<Uint8Array | undefined> {
  try {
    return await (range ? readPart(file, range) : readFile(file))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function readPart(file: string, { start, end }: ByteRange): Promise<Uint8Array> {
  const handle = await open(file)
  try {
    const part = new Uint8Array(end - start)
    let length = 0
    for (let more = -1; more !== 0 && length < part.length; length += more)
      more = (await handle.read(part, length, part.length - length, start + length)).bytesRead
    return part.subarray(0, length)
  } finally {
    await handle.close()
  }
}

const isThere = async (file: string) =>
  stat(file).then(
    () => true,
    () => false,
  )

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code
