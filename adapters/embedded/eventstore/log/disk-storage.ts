import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { FolderInUse, lockFolder } from '../../../process/folder-lock.ts'
import { LogError } from './log-error.ts'
import type { Replacement, Storage } from './storage.ts'

const FILE_NAME = /^(\d{8})\.log$/
const fileName = (segment: number) => `${String(segment).padStart(8, '0')}.log`

/** What is to take the place of a segment, until it does. */
const REPLACEMENT = '.new'

/** Where an earlier format kept its events. */
const FORMER_FILE = 'eventstore.db'

/** Files grow by this much at a time: a write into a file that has its length already needs no change of its metadata. */
const GROWTH = 1024 * 1024

/**
 * Every write is durable when it returns. They are synchronous: on two cores a durable write of a few hundred bytes takes 0.2 ms, and
 * handing it to another thread takes longer than what the event loop could do meanwhile. One by one that made 2,800 commits/s against
 * 2,500; with 64 or 256 waiting, which then share a commit, the two were within a few per cent.
 */
const FLAGS = constants.O_RDWR | constants.O_DSYNC

type File = { fd: number; length: number }

/**
 * Segments as files in `folder`, which belongs to this process alone until they are closed.
 * @throws FolderInUse
 * @throws LogError when the folder holds a log of an earlier format
 */
export function openDiskStorage(folder: string): Storage {
  makeFolder(folder)
  if (existsSync(join(folder, FORMER_FILE))) {
    throw new LogError(
      'log_format',
      `${join(folder, FORMER_FILE)} is of an earlier format, which this version cannot read; move it away to begin anew`,
    )
  }
  const { release } = lock(folder)
  const files = new Map<number, File>()
  for (const name of readdirSync(folder)) {
    if (name.endsWith(`.log${REPLACEMENT}`)) rmSync(join(folder, name))
    const number = FILE_NAME.exec(name)?.[1]
    if (number === undefined) continue
    const fd = openSync(join(folder, name), FLAGS)
    // What was copied here may be on its way to the disk, and must not come after what is written next.
    fdatasyncSync(fd)
    files.set(Number(number), { fd, length: fstatSync(fd).size })
  }

  function fileOf(segment: number): File {
    const file = files.get(segment)
    if (!file) throw new Error(`there is no segment ${segment}`)
    return file
  }

  function close(segment: number): void {
    const file = files.get(segment)
    if (file) closeSync(file.fd)
    files.delete(segment)
  }

  function replace(segment: number): Replacement {
    const path = join(folder, fileName(segment))
    const fd = openSync(path + REPLACEMENT, FLAGS | constants.O_CREAT | constants.O_TRUNC, 0o600)
    let length = 0
    return {
      write(bytes) {
        writeFully(fd, bytes, length)
        length += bytes.length
      },
      finish() {
        fsyncSync(fd)
        renameSync(path + REPLACEMENT, path)
        syncFolder(folder)
        close(segment)
        files.set(segment, { fd, length })
      },
      abandon() {
        closeSync(fd)
        rmSync(path + REPLACEMENT, { force: true })
      },
    }
  }

  return {
    segments: () => [...files].map(([number, { length }]) => ({ number, length })).sort((a, b) => a.number - b.number),
    nameOf: (segment) => join(folder, fileName(segment)),
    read: (segment, offset, target) => readFully(fileOf(segment).fd, target, offset),
    create(segment, bytes) {
      close(segment)
      const fd = openSync(join(folder, fileName(segment)), FLAGS | constants.O_CREAT | constants.O_TRUNC, 0o600)
      files.set(segment, { fd, length: bytes.length })
      writeFully(fd, bytes, 0)
      fsyncSync(fd)
      syncFolder(folder)
    },
    write(segment, offset, bytes) {
      const file = fileOf(segment)
      const end = offset + bytes.length
      if (end <= file.length) {
        writeFully(file.fd, bytes, offset)
        return
      }
      const length = Math.ceil(end / GROWTH) * GROWTH
      const padded = Buffer.alloc(length - offset)
      padded.set(bytes)
      writeFully(file.fd, padded, offset)
      file.length = length
    },
    cut(segment, length) {
      const file = fileOf(segment)
      ftruncateSync(file.fd, length)
      fdatasyncSync(file.fd)
      file.length = length
    },
    remove(segment) {
      close(segment)
      rmSync(join(folder, fileName(segment)), { force: true })
      syncFolder(folder)
    },
    replace,
    close() {
      for (const segment of [...files.keys()]) close(segment)
      release()
    },
  }
}

function lock(folder: string): { release(): void } {
  try {
    return lockFolder(folder)
  } catch (error) {
    throw error instanceof FolderInUse ? new FolderInUse(`${folder} is in use by another server`) : error
  }
}

function readFully(fd: number, target: Uint8Array, offset: number): number {
  let done = 0
  while (done < target.length) {
    const read = readSync(fd, target, done, target.length - done, offset + done)
    if (read === 0) break
    done += read
  }
  return done
}

function writeFully(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, offset + done)
}

/** As durable as what will be in it: each folder that is new has its name in the one above. */
function makeFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  const above = dirname(resolve(first))
  for (let path = resolve(folder); path !== above; path = dirname(path)) syncFolder(dirname(path))
}

/** Without this, a new file's name could be lost with the power although its content is not. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
