/** Codes of gRPC (github.com/grpc/grpc, doc/statuscodes.md) that this server answers. */
export const CODE = {
  ok: 0,
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const

/** How a call ends. Trailers are what a client reads besides code and details. */
export type Status = { code: number; details: string; trailers?: Readonly<Record<string, string>> }

export const OK: Status = { code: CODE.ok, details: '' }

/** Ends the call in which it is thrown. */
export class CallError extends Error {
  override readonly name: string = 'CallError'
  readonly status: Status

  constructor(code: number, details: string, trailers?: Status['trailers']) {
    super(details)
    this.status = { code, details, ...(trailers && { trailers }) }
  }
}

/** Header fields of a status. Texts are percent-encoded where they are not printable ASCII. */
export function trailersOf({ code, details, trailers = {} }: Status): Record<string, string> {
  const fields: Record<string, string> = { 'grpc-status': String(code) }
  if (details !== '') fields['grpc-message'] = fitting(details.replaceAll('%', '%25'))
  for (const [name, value] of Object.entries(trailers)) fields[name] = fitting(value)
  return fields
}

/** Clients take headers of 64 KiB altogether, in which some have to share. */
const LONGEST = 24 * 1024

function fitting(text: string): string {
  const encoded = printable(text)
  return encoded.length <= LONGEST ? encoded : fitting(text.slice(0, text.length / 2))
}

/** Bytes rather than characters, for half of a surrogate pair has no encoding of its own. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, (found) => Buffer.from(found).toString('hex').toUpperCase().replace(/../g, '%$&'))
}
