/** Waits until the promise settles, but no longer than `ms`; true when it was fulfilled by then. */
export async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  const fulfilled = promise.then(
    () => true,
    () => false,
  )
  try {
    return await Promise.race([fulfilled, deadline])
  } finally {
    clearTimeout(timer)
  }
}
