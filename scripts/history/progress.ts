const EVERY_MS = 250
const EVERY_MS_IN_A_FILE = 5_000

/** Tells a person how far a long run is: on a terminal in one line, and elsewhere only when asked, in lines now and then. */
export function openProgress(isAsked: boolean): { say(text: () => string): void; end(): void } {
  const { isTTY = false } = process.stderr
  let saidAt = Date.now()
  let isShown = false
  return {
    say(text) {
      if (!(isTTY || isAsked) || Date.now() - saidAt < (isTTY ? EVERY_MS : EVERY_MS_IN_A_FILE)) return
      saidAt = Date.now()
      process.stderr.write(isTTY ? `\r${text()}\x1b[K` : `${text()}\n`)
      isShown = isTTY
    },
    end() {
      if (isShown) process.stderr.write('\r\x1b[K')
    },
  }
}
