/** How often a property is tried: a quarter as often in `npm test` as in the longer run after it, and where a file is run with all tests. */
export const runs = (count: number): number =>
  ['all', 'ceremonies'].includes(process.env.QUORATE_TESTS ?? '') ? count : Math.ceil(count / 4)
