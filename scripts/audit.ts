import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { readSettings } from '../adapters/process/settings.ts'
import { readHistory } from '../audit/history.ts'
import { digestOf } from '../domain/history/digest.ts'
import { isSelected, type Selection } from '../domain/history/selection.ts'
import { momentIn, sourceIn } from './history/arguments.ts'
import { namingCold } from './history/cold.ts'
import { runCommand } from './history/command.ts'
import { FORMATS, type Format, writerOf } from './history/formats.ts'
import { openOutput } from './history/output.ts'
import { openProgress } from './history/progress.ts'
import { type OpenedSources, openSources } from './history/sources.ts'

const USAGE = `usage: npm run --silent audit -- [--from TIME|POSITION] [--to TIME|POSITION] [--wallet ID] [--key-id ID] [--session ID] [--party ID] [--tenant NAME]
                                 [--type TYPE …] [--format ${FORMATS.join('|')}] [--source both|log|archive] [--archive PLACE] [--key VKEY|FILE] [--progress]

Every event that is all of it, in the log's order, and then how many there were and a digest over them. Times are those of the decision, inclusive.
  --type      such as SignatureProduced; may be given more than once
  --source    where events are read: the archive and what the log has after it (both), or one of them alone
  --progress  how far it is, to standard error, although that is no terminal`

await runCommand(audit)

/** `npm run audit`. */
async function audit(): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      ...{ from: text, to: text, wallet: text, 'key-id': text, session: text, party: text, tenant: text },
      ...{ type: { ...text, multiple: true, default: [] as string[] }, format: { ...text, default: 'table' } },
      ...{ source: { ...text, default: 'both' }, archive: text, key: text },
      progress: { type: 'boolean', default: false },
    },
  })
  const { wallet, session, party, tenant, type: types } = values
  const selection: Selection = {
    ...{ from: momentIn('from', values.from), to: momentIn('to', values.to) },
    ...{ wallet, key: values['key-id'], session, party, tenant, types },
  }
  const format = FORMATS.find((known) => known === values.format)
  if (!format) throw new Error(USAGE)
  const sources = await openSources(
    readSettings({ ...process.env, ...(values.archive === undefined ? {} : { QUORATE_ARCHIVE_URL: values.archive }) }),
    sourceIn(values.source),
    values.key,
  )
  try {
    await namingCold(sources, () => list(sources, selection, format, values.progress))
  } finally {
    await sources.close()
  }
}

async function list(sources: OpenedSources, selection: Selection, format: Format, isProgressAsked: boolean): Promise<void> {
  const digest = digestOf(createHash('sha256'))
  const writer = writerOf(format, openOutput(process.stdout))
  const progress = openProgress(isProgressAsked)
  let read = 0
  try {
    for await (const event of readHistory(sources)) {
      read++
      progress.say(() => `${read} events read, ${digest.events()} found`)
      if (!isSelected(event, selection)) continue
      digest.add(event)
      await writer.event(event)
    }
    await writer.end()
  } finally {
    progress.end()
  }
  const summary = { events: digest.events(), of: read, digest: digest.hex(), from: sources.places }
  // Beside the list, so that what reads the list reads events alone.
  console.error(JSON.stringify(summary))
}
