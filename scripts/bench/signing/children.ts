import { readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Processes that this one has started, named by the folder or file of what they run; none where there is no `/proc`. */
export function childProcesses(): { name: string; pid: number }[] {
  try {
    const pids = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
    return pids.map((pid) => ({ pid, name: nameOf(pid) }))
  } catch {
    return []
  }
}

function nameOf(pid: number): string {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  const at = words.findIndex((word) => word.endsWith('.js'))
  if (at < 0) return basename(words[0] ?? '')
  const script = words[at] as string
  return basename(script) === 'main.js' ? basename(dirname(script)) : [basename(script, '.js'), words[at + 1]].join(' ').trim()
}
