/** A system call as `strace -f -y` saw it; `begun` and `ended` are line numbers, which say what was before what, over all threads. */
export type Syscall = { name: string; text: string; result: string; begun: number; ended: number }

/** Parses what strace wrote. A call during which another thread's was seen takes two lines. */
export function parseTrace(trace: string): Syscall[] {
  const calls: Syscall[] = []
  const unfinished = new Map<string, Syscall>()
  for (const [number, line] of trace.split('\n').entries()) {
    const [, thread, rest] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (thread === undefined || rest === undefined) continue
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest)
    if (resumed) {
      const call = unfinished.get(thread)
      if (!call) continue
      unfinished.delete(thread)
      call.text += resumed[2]!
      call.result = resultOf(resumed[2]!)
      call.ended = number
      continue
    }
    const name = /^(\w+)\(/.exec(rest)?.[1]
    if (name === undefined) continue
    const call: Syscall = { name, text: rest, result: resultOf(rest), begun: number, ended: number }
    calls.push(call)
    if (!rest.endsWith('<unfinished ...>')) continue
    call.ended = Number.POSITIVE_INFINITY
    unfinished.set(thread, call)
  }
  return calls
}

const resultOf = (text: string): string => /\) += (.*)$/.exec(text)?.[1] ?? ''

/** The path behind the descriptor that is a call's first argument. */
export const pathOf = ({ text }: Syscall): string | undefined => /^\w+\((?:AT_FDCWD|\d+)<([^>]*)>/.exec(text)?.[1]

const isWrite = ({ name }: Syscall) => /^(p?writev?2?|pwrite64|send(to|msg|mmsg))$/.test(name)
const isSync = ({ name }: Syscall) => name === 'fsync' || name === 'fdatasync'
const succeeded = ({ result }: Syscall) => result !== '' && !result.startsWith('-1')

/** Descriptors are handed out again, so what one was opened with is what the last `openat` before said. */
function isSyncedByItself(calls: readonly Syscall[], write: Syscall): boolean {
  const descriptor = /^\w+\((\d+)</.exec(write.text)?.[1]
  const opened = calls.findLast((call) => call.name === 'openat' && call.ended < write.begun && call.result.startsWith(`${descriptor}<`))
  return opened !== undefined && /O_(DSYNC|SYNC)\b/.test(opened.text)
}

/**
 * Why the bytes that contain `marker` were not durable when they had been acknowledged; undefined when they were. That is when the server
 * first sent something that contains the marker or, where answers do not, when it first wrote anything that contains `next`, which was
 * appended after the answer.
 * @throws when there was no such moment
 */
export function whyNotDurable(calls: readonly Syscall[], folder: string, marker: string, next?: string): string | undefined {
  const inFolder = (call: Syscall) => pathOf(call)?.startsWith(folder) ?? false
  const writes = calls.filter((call) => isWrite(call) && call.text.includes(marker))
  const answer =
    next === undefined ? writes.find((call) => !inFolder(call)) : calls.find((call) => isWrite(call) && call.text.includes(next))
  if (!answer) throw new Error(`nothing was answered about ${marker}`)
  const stored = writes.filter((call) => inFolder(call) && succeeded(call) && call.ended < answer.begun)
  if (stored.length === 0) return 'it was not written to a file'
  const follows = (write: Syscall, path: string | undefined) =>
    calls.some((call) => isSync(call) && pathOf(call) === path && call.begun > write.ended && call.ended < answer.begun && succeeded(call))
  const synced = stored.filter((write) => isSyncedByItself(calls, write) || follows(write, pathOf(write)))
  if (synced.length === 0) return 'it was written and not synced'
  const named = synced.some((write) => isNameDurable(calls, pathOf(write)!, answer))
  return named ? undefined : 'its file was made, and the folder not synced'
}

/**
 * Why a file that took the place of another was not durable as a whole before, or its new name not before something that contains `marker` was written;
 * undefined when both were.
 * @throws when no file did
 */
export function whyNotReplaced(calls: readonly Syscall[], marker: string): string | undefined {
  const renamed = calls.find((call) => /^rename/.test(call.name) && succeeded(call))
  const path = /"([^"]*)"/.exec(renamed?.text ?? '')?.[1]
  const told = calls.find((call) => isWrite(call) && call.text.includes(marker))
  if (!renamed || path === undefined || !told) throw new Error('no file took the place of another')
  const synced = (of: string, after: number, before: number) =>
    calls.some((call) => isSync(call) && succeeded(call) && pathOf(call) === of && call.begun > after && call.ended < before)
  const written = Math.max(...calls.filter((call) => isWrite(call) && pathOf(call) === path).map(({ ended }) => ended))
  if (!synced(path, written, renamed.begun)) return 'it was named before it was synced'
  return synced(path.slice(0, path.lastIndexOf('/')), renamed.ended, told.begun) ? undefined : 'it was told before the folder was synced'
}

/** Whether the file would still be found in its folder: it was there before, or the folder was synced since. */
function isNameDurable(calls: readonly Syscall[], path: string, answer: Syscall): boolean {
  const made = calls.find((call) => call.name === 'openat' && call.text.includes('O_CREAT') && call.result.endsWith(`<${path}>`))
  if (!made) return true
  const folder = path.slice(0, path.lastIndexOf('/'))
  return calls.some((call) => call.name === 'fsync' && pathOf(call) === folder && call.begun > made.ended && call.ended < answer.begun)
}
