/** Does work for one key after another, in the order in which it came; for different keys at once. What comes of one is no matter of the next. */
export function oneAtATime(): <Result>(key: string, work: () => Promise<Result>) => Promise<Result> {
  const last = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const result = (last.get(key) ?? Promise.resolve()).then(work)
    const done = result.catch(() => {}).finally(() => last.get(key) === done && last.delete(key))
    last.set(key, done)
    return result
  }
}
