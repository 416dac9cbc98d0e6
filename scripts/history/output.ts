import type { Writable } from 'node:stream'

/** Whoever read the output has had enough, such as `head`. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}

/** Writes text to a stream, and waits for readers that are slower. @throws OutputClosed */
export function openOutput(stream: Writable): (text: string) => Promise<void> {
  let failure: NodeJS.ErrnoException | undefined
  let wake = () => {}
  stream.on('error', (error) => {
    failure = error
    wake()
  })
  for (const event of ['drain', 'close']) stream.on(event, () => wake())
  const check = () => {
    if (failure && failure.code !== 'EPIPE') throw failure
    if (failure || stream.destroyed) throw new OutputClosed('nobody reads the output any more')
  }
  return async (text) => {
    check()
    if (stream.write(text)) return
    await new Promise<void>((resolve) => {
      wake = resolve
      if (failure || stream.destroyed || !stream.writableNeedDrain) resolve()
    })
    check()
  }
}
