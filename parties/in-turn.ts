/** Runs what is to be done under one name one after the other, whatever becomes of it. Names in nobody's way are forgotten. */
export function inTurn(): <Result>(name: string, work: () => Promise<Result>) => Promise<Result> {
  const last = new Map<string, Promise<unknown>>()
  return (name, work) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work)
    const over = turn.then(ignore, ignore).finally(() => {
      if (last.get(name) === over) last.delete(name)
    })
    last.set(name, over)
    return turn
  }
}

const ignore = () => {}
