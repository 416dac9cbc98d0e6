import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { Document } from '../domain/ports/documents.ts'
import { InvalidDerivationPath, parsePath } from '../domain/threshold/derivation-path.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import { Problem } from '../http/problem.ts'
import { route } from '../http/route.ts'
import { entityTag, type ReadModels, readDocument } from './read-model.ts'
import { PUBLIC_KEY } from './shapes.ts'

export const getPublicKey = (models: ReadModels) =>
  route({
    method: 'GET',
    path: '/v1/keys/:keyId/public-key',
    tag: 'keys',
    summary: 'The public key at a derivation path',
    description:
      'What signs when a signature is asked for with this `path`. Nobody has to be asked for it, and it stays the same through every refresh.',
    roles: ['client', 'auditor'],
    query: {
      path: {
        description: 'Such as `m/0/5`: at most 10 levels, none of them hardened. `m`, the key itself, when it is left out.',
        schema: { type: 'string' },
      },
    },
    answers: { 200: { description: 'The public key', schema: PUBLIC_KEY } },
    async handle(request) {
      const { keyId } = request.params
      const { path = 'm' } = request.query
      const indices = readPath(path)
      const { document, asOf } = await readDocument(models, request, { model: 'keys', id: keyId, parameter: 'keyId' })
      const { publicKey } = protocolOf(document.scheme as Scheme).derive(publicPackageOf(document), indices)
      return { status: 200, body: { keyId, path, publicKey: bytesToHex(publicKey) }, ...asOf, etag: entityTag(document) }
    },
  })

/** @throws Problem `path_invalid` */
function readPath(path: string): readonly number[] {
  try {
    return parsePath(path)
  } catch (error) {
    if (!(error instanceof InvalidDerivationPath)) throw error
    const { message } = error
    throw new Problem('path_invalid', message, { errors: [{ parameter: 'path', code: 'path_invalid', detail: message }] })
  }
}

/** @throws Problem `key_not_active` before there is a key, `read_model_behind` when the read model is one of an earlier release */
function publicPackageOf({ status, publicKey, publicPackage }: Document): Uint8Array {
  if (typeof publicKey !== 'string') throw new Problem('key_not_active', `the key is ${status}`)
  if (typeof publicPackage !== 'string') throw new Problem('read_model_behind', 'the read model is being built')
  return hexToBytes(publicPackage)
}
