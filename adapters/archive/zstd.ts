import { init } from '@bokuweb/zstd-wasm'

let loaded: Promise<void> | undefined

/** The WebAssembly of zstd is loaded once: loaded again, it forgets what it has at work. */
export function loadZstd(): Promise<void> {
  loaded ??= init()
  return loaded
}
