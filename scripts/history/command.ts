import { ColdSegments } from './cold.ts'
import { OutputClosed } from './output.ts'

/** Runs a command to its end. What it throws goes to standard error; that nobody reads its output any more is no failure. */
export async function runCommand(command: () => Promise<void>): Promise<void> {
  try {
    await command()
  } catch (error) {
    if (error instanceof OutputClosed) return
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = error instanceof ColdSegments ? error.exitCode : 1
  }
}
