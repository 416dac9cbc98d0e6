/** Positions and revisions are numbers in documents, so that other tools can read and compare them; -1 is before all of them. @throws RangeError */
export function toStored(position: bigint): number {
  const stored = Number(position)
  if (!Number.isSafeInteger(stored) || stored < -1) throw new RangeError(`position ${position} is not a safe integer`)
  return stored
}
