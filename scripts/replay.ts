import { parseArgs } from 'node:util'
import { readSettings } from '../adapters/process/settings.ts'
import type { Moment } from '../domain/history/moment.ts'
import { momentIn, sourceIn } from './history/arguments.ts'
import { namingCold } from './history/cold.ts'
import { runCommand } from './history/command.ts'
import { differencesBetween } from './history/differences.ts'
import { openPersonalHere } from './history/in-clear.ts'
import { openOutput } from './history/output.ts'
import { openSources } from './history/sources.ts'
import { type Subject, type SubjectAt, subjectAt } from './history/subject.ts'

const USAGE = `usage: npm run --silent replay -- --wallet ID [--as-of TIME|POSITION] [--until TIME|POSITION] [--source both|log|archive] [--archive PLACE] [--key VKEY|FILE]
       npm run --silent replay -- --key-id ID | --session ID | --transfer ID …

  --wallet  a wallet with its keys, sessions and accounts; or a key, a signing session or a transfer alone
  --as-of   as it was then; now when left out
  --until   what was different then, compared with --as-of
  --source  where events are read: the archive and what the log has after it (both), or one of them alone`

await runCommand(replay)

/** `npm run replay`: what something was at a moment, from events alone, with a digest over them that anybody can recompute. */
async function replay(): Promise<void> {
  const text = { type: 'string' } as const
  const subjects = { wallet: text, 'key-id': text, session: text, transfer: text }
  const options = { ...subjects, 'as-of': text, until: text, source: { ...text, default: 'both' }, archive: text, key: text }
  const { values } = parseArgs({ options })
  const { wallet, session, transfer, 'key-id': key, 'as-of': asOf, until } = values
  const subject = subjectIn({ wallet, key, session, transfer })
  const moments = { asOf: momentIn('as-of', asOf), until: momentIn('until', until) }
  const begun = performance.now()
  const settings = readSettings({ ...process.env, ...(values.archive === undefined ? {} : { QUORATE_ARCHIVE_URL: values.archive }) })
  const personal = openPersonalHere(settings.dataDir)
  const sources = await openSources(settings, sourceIn(values.source), values.key)
  try {
    const opened = performance.now()
    let isScanned = false
    const onScan = () => {
      isScanned = true
    }
    const at = async (moment: Moment) => {
      const found = await namingCold(sources, () => subjectAt(sources, subject, moment, onScan))
      return { ...found, state: await personal.inClear(found.state) }
    }
    const before = await at(moments.asOf)
    const after = until === undefined ? undefined : await at(moments.until)
    const [opening, reading] = [opened - begun, performance.now() - opened].map(Math.round)
    // The clock of a process begins with it.
    const all = Math.round(performance.now())
    const took = `opened in ${opening} ms, replayed in ${reading} ms, ${all} ms with the start of Node`
    console.error(`${(after ?? before).events} events, from ${sources.places.join(' and ')}: ${took}`)
    if (isScanned) console.error('the log has no index here, so all of it was read: the process `audit` keeps one')
    if (!after) return await print({ asOf: asOf ?? 'now', ...flat(before) })
    await print({
      from: digestIn(asOf ?? 'now', before),
      to: digestIn(until!, after),
      differences: differencesBetween(before.state, after.state),
    })
  } finally {
    await sources.close()
    await personal.close()
  }
}

/** @throws Error unless there is one */
function subjectIn(ids: { readonly [Kind in Subject['kind']]: string | undefined }): Subject {
  const [subject, another] = Object.entries(ids).flatMap(([kind, id]) => (id === undefined ? [] : [{ kind, id } as Subject]))
  if (!subject || another) throw new Error(USAGE)
  return subject
}

function print(value: object): Promise<void> {
  return openOutput(process.stdout)(`${JSON.stringify(value, null, 2)}\n`)
}

function flat({ state, ...found }: SubjectAt) {
  return { ...state, ...found }
}

function digestIn(moment: string, { events, position, digest }: SubjectAt) {
  return { moment, events, position, digest }
}
