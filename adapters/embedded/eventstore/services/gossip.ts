import { randomUUID } from 'node:crypto'
import type { Handler } from '../grpc/call.ts'
import { gossip, gossipService, shared } from './generated.ts'
import { uuidMessage } from './mapping.ts'
import { unaryMessages } from './unary-messages.ts'

const TICKS_PER_MILLISECOND = 10_000

/** A cluster of one, which leads itself. */
export function gossipRoutes(port: () => number): [path: string, Handler][] {
  const instance = randomUUID()
  const read = unaryMessages(shared.Empty, () => {
    const endPoint = new gossip.EndPoint()
    endPoint.setAddress('127.0.0.1')
    endPoint.setPort(port())
    const member = new gossip.MemberInfo()
    member.setInstanceId(uuidMessage(instance))
    member.setTimeStamp(String(Date.now() * TICKS_PER_MILLISECOND))
    member.setState(gossip.MemberInfo.VNodeState.LEADER)
    member.setIsAlive(true)
    member.setHttpEndPoint(endPoint)
    const cluster = new gossip.ClusterInfo()
    cluster.addMembers(member)
    return cluster
  })
  return [[gossipService.read.path, read]]
}
