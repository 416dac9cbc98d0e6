/**
 * What is begun of each item, in the order of the items, while so many are under way. Where one fails, so does the iteration in its turn, and what was begun
 * after it is not waited for.
 */
export async function* inTurn<Item, Result>(
  items: Iterable<Item>,
  begin: (item: Item) => Promise<Result>,
  atOnce: number,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = []
  for (const item of items) {
    if (underWay.length === atOnce) yield await underWay.shift()!
    const begun = begin(item)
    // Told of when its turn comes.
    begun.catch(() => {})
    underWay.push(begun)
  }
  for (const begun of underWay) yield await begun
}
