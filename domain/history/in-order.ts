/** Works on some items at once, and yields what came of them in the order of the items. What one fails with is thrown when its turn comes. */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = []
  for (const item of items) {
    const result = work(item)
    result.catch(() => {})
    underWay.push(result)
    if (underWay.length === atOnce) yield await underWay.shift()!
  }
  for (const result of underWay) yield await result
}
