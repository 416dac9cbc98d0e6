import type { Publication } from './parser.ts'
import { createSubjectTree } from './subject-tree.ts'

/** Whoever publishes and receives. */
export type Peer = {
  /** False: the peer does not get its own messages. */
  echo(): boolean
  /** Hands over a message; false when the peer is gone. */
  deliver(sid: string, message: Publication): boolean
  /** Told when a subscription has ended because it got all the messages that it asked for. */
  forget(sid: string): void
}

export type Subscription = {
  readonly peer: Peer
  readonly subject: string
  readonly queue: string | undefined
  readonly sid: string
  delivered: number
  max: number | undefined
}

export type Router = {
  /** False when the server holds as many subscriptions as it may. */
  subscribe(subscription: Subscription): boolean
  unsubscribe(subscription: Subscription): void
  /** Hands the message to everyone interested and to one member of each queue group; returns to how many. */
  publish(from: Peer, message: Publication): number
  /** The subscription through which the peer itself hears the subject, if it does. */
  heardBy(peer: Peer, subject: string): Subscription | undefined
}

/** About what a subscription takes of memory, in bytes: its texts, and for each token a node of the tree. */
const BYTES_OF_TOKEN = 256
const weigh = ({ subject, queue = '', sid }: Subscription): number =>
  subject.length + queue.length + sid.length + BYTES_OF_TOKEN * subject.split('.').length

export type RouterLimits = { maxSubscriptions: number; maxBytes: number }

export function createRouter({ maxSubscriptions, maxBytes }: RouterLimits): Router {
  const tree = createSubjectTree<Subscription>()
  let count = 0
  let bytes = 0

  function unsubscribe(subscription: Subscription): void {
    tree.remove(subscription.subject, subscription.queue, subscription)
    count--
    bytes -= weigh(subscription)
  }

  function deliver(subscription: Subscription, from: Peer, message: Publication): boolean {
    const { peer, sid } = subscription
    if (peer === from && !from.echo()) return false
    if (!peer.deliver(sid, message)) return false
    subscription.delivered++
    if (subscription.max !== undefined && subscription.delivered >= subscription.max) {
      unsubscribe(subscription)
      peer.forget(sid)
    }
    return true
  }

  return {
    subscribe(subscription) {
      const weight = weigh(subscription)
      if (count >= maxSubscriptions || bytes + weight > maxBytes) return false
      tree.insert(subscription.subject, subscription.queue, subscription)
      count++
      bytes += weight
      return true
    },
    unsubscribe,
    publish(from, message) {
      const { plain, groups } = tree.match(message.subject)
      let reached = 0
      for (const subscription of plain) if (deliver(subscription, from, message)) reached++
      for (const members of groups.values()) {
        const start = Math.floor(Math.random() * members.length)
        if (members.some((_, index) => deliver(members[(start + index) % members.length]!, from, message))) reached++
      }
      return reached
    },
    heardBy: (peer, subject) => tree.match(subject).plain.find((subscription) => subscription.peer === peer),
  }
}
