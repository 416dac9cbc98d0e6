/** Who is interested in a subject: everyone in `plain`, and one member of each group. */
export type Interest<T> = { plain: T[]; groups: Map<string, T[]> }

export type SubjectTree<T> = {
  insert(subject: string, queue: string | undefined, value: T): void
  remove(subject: string, queue: string | undefined, value: T): void
  /** The values whose subscribed subject matches a published one. A subject with an empty token matches nothing. */
  match(subject: string): Interest<T>
}

/** What a node does not need is not there: most have one child or one subscriber, and there can be very many. */
type Node<T> = {
  literals?: Map<string, Node<T>>
  /** `*` */
  one?: Node<T>
  /** `>` */
  rest?: Node<T>
  plain?: Set<T>
  groups?: Map<string, Set<T>>
}

const isEmpty = <T>(node: Node<T>): boolean => Object.keys(node).length === 0

function childOf<T>(node: Node<T>, token: string): Node<T> | undefined {
  if (token === '*') return node.one
  if (token === '>') return node.rest
  return node.literals?.get(token)
}

function addChild<T>(node: Node<T>, token: string): Node<T> {
  const child: Node<T> = {}
  if (token === '*') node.one = child
  else if (token === '>') node.rest = child
  else {
    node.literals ??= new Map()
    node.literals.set(token, child)
  }
  return child
}

function dropChild<T>(node: Node<T>, token: string): void {
  if (token === '*') delete node.one
  else if (token === '>') delete node.rest
  else if (node.literals?.delete(token) && node.literals.size === 0) delete node.literals
}

function addValue<T>(node: Node<T>, queue: string | undefined, value: T): void {
  if (queue === undefined) {
    node.plain ??= new Set()
    node.plain.add(value)
    return
  }
  node.groups ??= new Map()
  const members = node.groups.get(queue)
  if (members) members.add(value)
  else node.groups.set(queue, new Set([value]))
}

function dropValue<T>(node: Node<T>, queue: string | undefined, value: T): void {
  if (queue === undefined) {
    if (node.plain?.delete(value) && node.plain.size === 0) delete node.plain
    return
  }
  const members = node.groups?.get(queue)
  if (members?.delete(value) && members.size === 0) node.groups?.delete(queue)
  if (node.groups?.size === 0) delete node.groups
}

/** A trie with one level per token, so that a match visits only the nodes that the subject can reach. */
export function createSubjectTree<T>(): SubjectTree<T> {
  const root: Node<T> = {}

  function insert(subject: string, queue: string | undefined, value: T): void {
    let node = root
    for (const token of subject.split('.')) node = childOf(node, token) ?? addChild(node, token)
    addValue(node, queue, value)
  }

  function remove(subject: string, queue: string | undefined, value: T): void {
    const tokens = subject.split('.')
    const path = [root]
    for (const token of tokens) {
      const child = childOf(path.at(-1)!, token)
      if (!child) return
      path.push(child)
    }
    dropValue(path.at(-1)!, queue, value)
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
  const literal = node.literals?.get(tokens[depth]!)
  if (literal) collect(literal, tokens, depth + 1, interest)
}

function add<T>(node: Node<T>, interest: Interest<T>): void {
  for (const value of node.plain ?? []) interest.plain.push(value)
  for (const [queue, members] of node.groups ?? []) {
    const known = interest.groups.get(queue)
    if (known) for (const value of members) known.push(value)
    else interest.groups.set(queue, [...members])
  }
}
