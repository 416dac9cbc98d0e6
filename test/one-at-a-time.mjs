/**
 * Has tests that share a process run one after the other, so that none waits for what another keeps busy. ava does that for all files or for
 * none: this is loaded into each of its processes before it, and adds `serial` to the options that a shared one is given.
 */
process.prependOnceListener('message', ({ ava } = {}) => {
  if (ava?.options?.file?.includes('/dist/shared-process/')) ava.options.serial = true
})
