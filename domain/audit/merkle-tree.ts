/**
 * The Merkle tree of RFC 6962, section 2.1: hashing, growing it leaf by leaf, and proofs that a leaf is in it or that a tree goes on from an earlier one,
 * with their verification as in RFC 9162, sections 2.1.3.2 and 2.1.4.2.
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array
/** Keeps nothing of the message, which is overwritten afterwards. */
export type Sha256 = (message: Uint8Array) => Hash

export const HASH_BYTES = 32

const LEAF_PREFIX = 0
const NODE_PREFIX = 1

export function leafHash(leaf: Uint8Array, sha256: Sha256 = nobleSha256): Hash {
  const message = messageOf(LEAF_PREFIX, leaf.length)
  message.set(leaf, 1)
  return sha256(message)
}

export function nodeHash(left: Hash, right: Hash, sha256: Sha256 = nobleSha256): Hash {
  const message = messageOf(NODE_PREFIX, 2 * HASH_BYTES)
  message.set(left, 1)
  message.set(right, 1 + HASH_BYTES)
  return sha256(message)
}

/** Where messages are put together, one after the other: to allocate each takes longer than to hash it. */
const scratch = new Uint8Array(65_536)

function messageOf(prefix: number, length: number): Uint8Array {
  const message = length < scratch.length ? scratch.subarray(0, 1 + length) : new Uint8Array(1 + length)
  message[0] = prefix
  return message
}

/** Of the tree without leaves. */
export const emptyRoot = (sha256: Sha256 = nobleSha256): Hash => sha256(new Uint8Array())

/** All that is needed of a tree to go on with it: how many leaves it has, and the roots of the perfect subtrees it consists of, largest first. */
export type Frontier = { readonly size: number; readonly peaks: readonly Hash[] }

export const EMPTY_TREE: Frontier = { size: 0, peaks: [] }

/** A tree that grows. It keeps as many hashes as its size has ones in binary. */
export type GrowingTree = {
  size(): number
  append(leaf: Hash): void
  root(): Hash
  frontier(): Frontier
}

/** `onSubtree` is told of every perfect subtree as it is completed, which has 2^`level` leaves; the leaf itself is the first. */
export function growTree(
  { size, peaks }: Frontier = EMPTY_TREE,
  sha256: Sha256 = nobleSha256,
  onSubtree: (level: number, root: Hash) => void = () => {},
): GrowingTree {
  let count = size
  const kept = [...peaks]
  return {
    size: () => count,
    append(leaf) {
      let subtree = leaf
      let level = 0
      onSubtree(level, subtree)
      // Each peak of the size of the subtree is completed by it: as many as there are ones at the end of the count.
      for (let completed = count; completed % 2 === 1; completed = half(completed)) {
        subtree = nodeHash(kept.pop()!, subtree, sha256)
        onSubtree(++level, subtree)
      }
      kept.push(subtree)
      count++
    },
    root: () => rootOfPeaks(kept, sha256),
    frontier: () => ({ size: count, peaks: [...kept] }),
  }
}

/** Leaves from `start` to before `end`. */
export type Range = { readonly start: number; readonly end: number }

/** The root of the perfect subtree of 2^`level` leaves that is the `index`-th of its level. */
export type ReadNode = (level: number, index: number) => Hash | Promise<Hash>

/** The root of a tree as it was when it had so many leaves. */
export function rootAt(size: number, readNode: ReadNode, sha256: Sha256 = nobleSha256): Promise<Hash> {
  return subtreeRoot({ start: 0, end: size }, readNode, sha256)
}

/** What it takes to go on with a tree as it was when it had so many leaves. */
export async function frontierAt(size: number, readNode: ReadNode): Promise<Frontier> {
  return { size, peaks: await Promise.all(perfectSubtrees({ start: 0, end: size }).map(({ level, index }) => readNode(level, index))) }
}

/** PATH(index, D[size]) of RFC 6962, section 2.1.1. @throws RangeError unless the leaf is in the tree */
export function inclusionProof(index: number, size: number, readNode: ReadNode, sha256: Sha256 = nobleSha256): Promise<Hash[]> {
  if (!isSize(index) || !isSize(size) || index >= size) throw new RangeError('the leaf must be in the tree')
  return Promise.all(siblingsOf(index, size).map((range) => subtreeRoot(range, readNode, sha256)))
}

/** PROOF(from, D[to]) of RFC 6962, section 2.1.2; empty for a tree and itself. @throws RangeError unless 0 < from <= to */
export function consistencyProof(from: number, to: number, readNode: ReadNode, sha256: Sha256 = nobleSha256): Promise<Hash[]> {
  if (!isSize(from) || !isSize(to) || from < 1 || from > to)
    throw new RangeError('the earlier tree must not be empty, and not the larger one')
  return Promise.all(subtreesBetween(from, to).map((range) => subtreeRoot(range, readNode, sha256)))
}

export type Inclusion = { leaf: Hash; index: number; size: number; proof: readonly Hash[]; root: Hash }

/** RFC 9162, section 2.1.3.2. */
export function verifyInclusion({ leaf, index, size, proof, root }: Inclusion, sha256: Sha256 = nobleSha256): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || ![leaf, ...proof].every(isHash)) return false
  let fn = index
  let sn = size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash, sha256)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else hash = nodeHash(hash, sibling, sha256)
    fn = half(fn)
    sn = half(sn)
  }
  return sn === 0 && isSame(hash, root)
}

export type Consistency = { from: { size: number; root: Hash }; to: { size: number; root: Hash }; proof: readonly Hash[] }

/** RFC 9162, section 2.1.4.2; a tree is consistent with itself, by an empty proof. Nothing can be said of the empty tree: every tree goes on from it. */
export function verifyConsistency({ from, to, proof }: Consistency, sha256: Sha256 = nobleSha256): boolean {
  if (!isSize(from.size) || !isSize(to.size) || from.size < 1 || from.size > to.size || !proof.every(isHash)) return false
  if (from.size === to.size) return proof.length === 0 && isSame(from.root, to.root)
  const [first, ...rest] = isPowerOfTwo(from.size) ? [from.root, ...proof] : proof
  if (first === undefined || proof.length === 0 || !isHash(first)) return false
  let fn = from.size - 1
  let sn = to.size - 1
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)]
  let earlier = first
  let later = first
  for (const hash of rest) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      earlier = nodeHash(hash, earlier, sha256)
      later = nodeHash(hash, later, sha256)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else later = nodeHash(later, hash, sha256)
    fn = half(fn)
    sn = half(sn)
  }
  return sn === 0 && isSame(earlier, from.root) && isSame(later, to.root)
}

export function isSame(a: Hash, b: Hash): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

// Sizes are beyond 32 bits, where bitwise operators do not reach.
const half = (n: number) => Math.floor(n / 2)
const isHash = ({ length }: Uint8Array) => length === HASH_BYTES
const isSize = (n: number) => Number.isSafeInteger(n) && n >= 0

function isPowerOfTwo(n: number): boolean {
  return largestPowerUpTo(n) === n
}

/** Of two. */
function largestPowerUpTo(n: number): number {
  let power = 1
  while (power * 2 <= n) power *= 2
  return power
}

/** Where a subtree of more than one leaf is split: the largest power of two smaller than its size. */
const splitOf = ({ start, end }: Range) => start + largestPowerUpTo(end - start - 1)

/** Subtrees whose roots lead from the leaf to the root, from the bottom. */
function siblingsOf(index: number, size: number): Range[] {
  const siblings: Range[] = []
  for (let subtree: Range = { start: 0, end: size }; subtree.end - subtree.start > 1; ) {
    const split = splitOf(subtree)
    const left = { start: subtree.start, end: split }
    const right = { start: split, end: subtree.end }
    siblings.push(index < split ? right : left)
    subtree = index < split ? left : right
  }
  return siblings.reverse()
}

/** Subtrees whose roots lead from the root of the earlier tree to both, from the bottom. */
function subtreesBetween(from: number, to: number): Range[] {
  const subtrees: Range[] = []
  let subtree: Range = { start: 0, end: to }
  while (subtree.end !== from) {
    const split = splitOf(subtree)
    const left = { start: subtree.start, end: split }
    const right = { start: split, end: subtree.end }
    subtrees.push(from <= split ? right : left)
    subtree = from <= split ? left : right
  }
  // The whole of the earlier tree is known to whoever verifies.
  if (subtree.start !== 0) subtrees.push(subtree)
  return subtrees.reverse()
}

async function subtreeRoot(range: Range, readNode: ReadNode, sha256: Sha256): Promise<Hash> {
  return rootOfPeaks(await Promise.all(perfectSubtrees(range).map(({ level, index }) => readNode(level, index))), sha256)
}

/** The perfect subtrees that a subtree consists of, largest first. `start` is a multiple of the size of the first. */
function perfectSubtrees({ start, end }: Range): { level: number; index: number }[] {
  const subtrees: { level: number; index: number }[] = []
  for (let at = start; at < end; ) {
    const size = largestPowerUpTo(end - at)
    subtrees.push({ level: Math.log2(size), index: at / size })
    at += size
  }
  return subtrees
}

function rootOfPeaks(peaks: readonly Hash[], sha256: Sha256): Hash {
  return peaks.length === 0 ? emptyRoot(sha256) : peaks.reduceRight((right, left) => nodeHash(left, right, sha256))
}
