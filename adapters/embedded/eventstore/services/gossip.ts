import { randomUUID } from 'node:crypto'
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js'
import type { Empty } from '@eventstore/db-client/generated/shared_pb.js'
import type { handleUnaryCall } from '@grpc/grpc-js'
import { gossip } from './generated.ts'
import { uuidMessage } from './mapping.ts'

const TICKS_PER_MILLISECOND = 10_000

/** A cluster of one, which leads itself. */
export function gossipHandlers(port: () => number): { read: handleUnaryCall<Empty, ClusterInfo> } {
  const instance = randomUUID()
  return {
    read(_call, callback) {
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
      callback(null, cluster)
    },
  }
}
