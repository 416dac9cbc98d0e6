import { readFileSync } from 'node:fs'

/** What a process took while something went on: processor time, and resident memory in MiB at the quarters of that time, and at most. */
export type Usage = {
  of: string
  cpuSeconds: number
  residentMiB: { start: number; quarter: number; half: number; threeQuarters: number; end: number; peak: number }
}

const EVERY_MS = 250
/** The kernel counts processor time in ticks of this length, whatever its own clock does. */
const TICKS_PER_SECOND = 100

/** Resident memory in MiB; undefined where there is no `/proc`, or no such process. */
export function residentMiB(pid: number): number | undefined {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(pid, 'status') ?? '')?.[1]
  return kib === undefined ? undefined : Math.round(Number(kib) / 1024)
}

/** Processor time so far, user and system. */
function cpuSeconds(pid: number): number | undefined {
  // The name of the program, in brackets, may hold anything.
  const fields = readProc(pid, 'stat')
    ?.replace(/^.*\) /s, '')
    .split(' ')
  return fields && (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Watches processes until it is stopped; those that cannot be watched are left out. */
export function watchProcesses(processes: readonly { name: string; pid: number }[]): { stop(): Usage[] } {
  const watched = processes.map(({ name, pid }) => ({ of: name, pid, memory: [] as number[], from: cpuSeconds(pid) ?? 0, to: 0 }))
  const sample = () => {
    for (const each of watched) {
      const memory = residentMiB(each.pid)
      if (memory !== undefined) each.memory.push(memory)
      each.to = cpuSeconds(each.pid) ?? each.to
    }
  }
  sample()
  const timer = setInterval(sample, EVERY_MS).unref()
  return {
    stop() {
      clearInterval(timer)
      sample()
      return watched
        .filter(({ memory }) => memory.length > 0)
        .map(({ of, memory, from, to }) => ({ of, cpuSeconds: Math.round((to - from) * 100) / 100, residentMiB: courseOf(memory) }))
    },
  }
}

function courseOf(memory: readonly number[]): Usage['residentMiB'] {
  const at = (share: number) => memory[Math.floor((memory.length - 1) * share)] as number
  return { start: at(0), quarter: at(0.25), half: at(0.5), threeQuarters: at(0.75), end: at(1), peak: Math.max(...memory) }
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}
