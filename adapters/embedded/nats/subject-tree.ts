/** Who is interested in a subject: everyone in `plain`, and one member of each group. */
export type Interest<T> = { plain: T[]; groups: Map<string, T[]> }

export type SubjectTree<T> = {
  insert(subject: string, queue: string | undefined, value: T): void
  remove(subject: string, queue: string | undefined, value: T): void
  /** The values whose subscribed subject matches a published one. A subject with an empty token matches nothing. */
  match(subject: string): Interest<T>
}

type Node<T> = {
  literals: Map<string, Node<T>>
  /** `*` */
  one: Node<T> | undefined
  /** `>` */
  rest: Node<T> | undefined
  plain: Set<T>
  groups: Map<string, Set<T>>
}

const newNode = <T>(): Node<T> => ({ literals: new Map(), one: undefined, rest: undefined, plain: new Set(), groups: new Map() })

const isEmpty = <T>(node: Node<T>): boolean =>
  node.plain.size === 0 && node.groups.size === 0 && node.literals.size === 0 && !node.one && !node.rest

function childOf<T>(node: Node<T>, token: string): Node<T> | undefined {
  if (token === '*') return node.one
  if (token === '>') return node.rest
  return node.literals.get(token)
}

function setChild<T>(node: Node<T>, token: string, child: Node<T>): Node<T> {
  if (token === '*') node.one = child
  else if (token === '>') node.rest = child
  else node.literals.set(token, child)
  return child
}

function dropChild<T>(node: Node<T>, token: string): void {
  if (token === '*') node.one = undefined
  else if (token === '>') node.rest = undefined
  else node.literals.delete(token)
}

/** A trie with one level per token, so that a match visits only the nodes that the subject can reach. */
export function createSubjectTree<T>(): SubjectTree<T> {
  const root = newNode<T>()

  function insert(subject: string, queue: string | undefined, value: T): void {
    let node = root
    for (const token of subject.split('.')) node = childOf(node, token) ?? setChild(node, token, newNode<T>())
    if (queue === undefined) {
      node.plain.add(value)
      return
    }
    const members = node.groups.get(queue)
    if (members) members.add(value)
    else node.groups.set(queue, new Set([value]))
  }

  function remove(subject: string, queue: string | undefined, value: T): void {
    const tokens = subject.split('.')
    const path = [root]
    for (const token of tokens) {
      const child = childOf(path[path.length - 1]!, token)
      if (!child) return
      path.push(child)
    }
    const leaf = path[path.length - 1]!
    if (queue === undefined) leaf.plain.delete(value)
    else {
      const members = leaf.groups.get(queue)
      members?.delete(value)
      if (members?.size === 0) leaf.groups.delete(queue)
    }
    for (let depth = tokens.length; depth > 0 && isEmpty(path[depth]!); depth--) dropChild(path[depth - 1]!, tokens[depth - 1]!)
  }

  function match(subject: string): Interest<T> {
    const interest: Interest<T> = { plain: [], groups: new Map() }
    const tokens = subject.split('.')
    if (!tokens.includes('')) collect(root, tokens, 0, interest)
    return interest
  }

  return { insert, remove, match }
}

function collect<T>(node: Node<T>, tokens: readonly string[], depth: number, interest: Interest<T>): void {
  if (depth === tokens.length) {
    add(node, interest)
    return
  }
  if (node.rest) add(node.rest, interest)
  if (node.one) collect(node.one, tokens, depth + 1, interest)
  const literal = node.literals.get(tokens[depth]!)
  if (literal) collect(literal, tokens, depth + 1, interest)
}

function add<T>(node: Node<T>, interest: Interest<T>): void {
  for (const value of node.plain) interest.plain.push(value)
  for (const [queue, members] of node.groups) {
    const known = interest.groups.get(queue)
    if (known) for (const value of members) known.push(value)
    else interest.groups.set(queue, [...members])
  }
}
