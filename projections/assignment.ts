import { type Build, PARTITIONS } from '../domain/ports/projections.ts'
import { hash } from './partition.ts'

/**
 * The partitions of a build that are the worker's, among the workers that follow it (rendezvous hashing): everybody who knows of the same workers
 * comes to the same answer, and when one goes or comes no partition moves between two others.
 */
export function partitionsOf(worker: string, { id, projection }: Pick<Build, 'id' | 'projection'>, workers: readonly string[]): number[] {
  const weight = (of: string, partition: number) => hash(`${of}/${projection}/${id}/${partition}`)
  const isFirst = (partition: number) => {
    const own = weight(worker, partition)
    return workers.every((other) => {
      const others = weight(other, partition)
      return other === worker || own > others || (own === others && worker > other)
    })
  }
  return Array.from({ length: PARTITIONS }, (_, partition) => partition).filter(isFirst)
}
