import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import type { Authorisation } from '../../key-share/events.ts'
import type { ClientKey } from '../client-key.ts'
import type { Request } from '../request.ts'

export type TestSigner = {
  readonly kid: string
  readonly key: ClientKey
  /** Signs the request as a client does, but for the changes: to the header, to the claims, or to when it is made (ms). */
  authorise(request: Request, changes?: { header?: object; claims?: object; at?: number }): Authorisation
  /** A compact JWS over these two parts, whatever they are. */
  compact(header: string, payload: string): string
}

const WINDOW_SECONDS = 120
const ALGORITHMS = { Ed25519: 'EdDSA', 'P-256': 'ES256' } as const

/** Somebody with a key of his own. */
export function createSigner(kid: string = randomUUID(), crv: ClientKey['crv'] = 'Ed25519'): TestSigner {
  const { publicKey, privateKey } = crv === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = { kid, ...publicKey.export({ format: 'jwk' }) } as ClientKey
  const compact = (header: string, payload: string): string => {
    const signed = Buffer.from(`${base64url(header)}.${base64url(payload)}`)
    const signature = sign(crv === 'Ed25519' ? null : 'sha256', signed, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${signature.toString('base64url')}`
  }
  return {
    kid,
    key,
    compact,
    authorise(request, { header, claims, at = Date.now() } = {}) {
      const { method, path, body } = request
      const iat = Math.floor(at / 1000)
      const made = {
        jti: randomUUID(),
        iat,
        exp: iat + WINDOW_SECONDS,
        htm: method,
        htu: path,
        bodyDigest: createHash('sha256').update(body).digest('base64url'),
        ...claims,
      }
      const intent = compact(JSON.stringify({ typ: 'intent+jwt', alg: ALGORITHMS[crv], kid, ...header }), JSON.stringify(made))
      return { method, path, body, intent }
    },
  }
}

const base64url = (text: string) => Buffer.from(text).toString('base64url')
