/**
 * What Quorate's own processes give to Node. Events and documents live for a moment: with the default of 16 MiB for new objects many of them are
 * copied into the old generation before they are garbage, which costs the projection worker an eighth of its processor time (docs/benchmarks.md).
 * It can be said on the command line alone: once V8 runs, the size is fixed.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=32']
