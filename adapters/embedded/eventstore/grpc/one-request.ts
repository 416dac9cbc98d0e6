import type { Call, Handler, Requests } from './call.ts'
import { frame } from './messages.ts'
import { CallError, CODE } from './status.ts'

const REQUEST_TIMEOUT_MS = 30_000

/** A handler of calls with one request, which `serve` begins to answer when it is there. What it returns hears of the rest. */
export function oneRequest(serve: (request: Buffer, call: Call) => Omit<Requests, 'message'>): Handler {
  return (call) => {
    let serving: Omit<Requests, 'message'> | undefined
    const late = setTimeout(() => call.end({ code: CODE.deadlineExceeded, details: 'no request came' }), REQUEST_TIMEOUT_MS)
    return {
      message(request) {
        if (serving) throw new CallError(CODE.unimplemented, 'the method takes one request')
        clearTimeout(late)
        serving = {}
        serving = serve(request, call)
        if (!call.isOpen()) serving.closed?.()
      },
      end() {
        if (!serving) throw new CallError(CODE.unimplemented, 'the method takes one request')
      },
      drained: () => serving?.drained?.(),
      closed() {
        clearTimeout(late)
        serving?.closed?.()
      },
    }
  }
}

/** A handler of calls with one request and one answer. What `work` throws or rejects with is the call's status. */
export function unary(work: (request: Buffer) => Uint8Array | Promise<Uint8Array>): Handler {
  return oneRequest((request, call) => {
    Promise.resolve(work(request)).then((message) => {
      call.write(frame(message))
      call.end()
    }, call.fail)
    return {}
  })
}
