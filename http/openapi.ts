/** The OpenAPI 3.1 document, generated from the routes. */
import { createRequire } from 'node:module'
import { validationMetadatasToSchemas } from 'class-validator-jsonschema'
import { PROBLEMS } from './problem.ts'
import { queryParametersOf } from './query-parameters.ts'
import { type JsonSchema, PLATFORM_TENANT, type Route } from './route.ts'

// class-transformer does not export the storage that says which class a nested property holds
const { defaultMetadataStorage } = createRequire(import.meta.url)('class-transformer/cjs/storage.js')

const COMPONENTS = '#/components/schemas/'

type Schemas = { [name: string]: JsonSchema }
type Parameter = { name: string; in: 'path' | 'query' | 'header'; description: string; required?: true; schema: JsonSchema }
export type Operation = {
  operationId: string
  tags: string[]
  summary: string
  description: string
  parameters: Parameter[]
  requestBody?: { required: true; content: { 'application/json': { schema: JsonSchema } } }
  responses: { [status: string]: object }
}
export type OpenApi = {
  openapi: '3.1.0'
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } }
  tags: { name: string }[]
  security: object[]
  paths: { [path: string]: { [method: string]: Operation } }
  components: { schemas: Schemas; responses: { [name: string]: object }; headers: { [name: string]: object }; securitySchemes: object }
}

const PROBLEM: JsonSchema = {
  title: 'Problem',
  description: 'RFC 9457 problem details.',
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'correlationId', 'retryable'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(PROBLEMS) },
    correlationId: { type: 'string' },
    retryable: { type: 'boolean', description: 'Whether the same request may succeed later.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['code', 'detail'],
        properties: {
          pointer: { type: 'string', description: 'JSON Pointer (RFC 6901) of the field at fault.' },
          parameter: { type: 'string' },
          header: { type: 'string' },
          code: { type: 'string' },
          detail: { type: 'string' },
        },
      },
    },
  },
}

const HEADERS = {
  'Quorate-Position': {
    description: 'Position in the log that the answer reflects; give it as `minPosition` to read no older.',
    schema: { type: 'string', pattern: '^\\d+$' },
  },
  'Quorate-Staleness': {
    description:
      'How many milliseconds ago what is answered from was last known to hold everything in the log; absent when it is current to within a second or so.',
    schema: { type: 'string', pattern: '^\\d+$' },
  },
  'X-Correlation-Id': { description: "The caller's own, or one made up for the request.", schema: { type: 'string' } },
}

const HEADER_PARAMETERS = {
  idempotencyKey: header(
    'Idempotency-Key',
    'The same key with the same body gives the same answer; with another body 422; while in flight 409.',
    {
      type: 'string',
      minLength: 1,
      maxLength: 255,
    },
  ),
  intent: header(
    'Quorate-Intent',
    'Compact JWS by a client key of the wallet (by an approver, on approvals) over `{jti, iat, exp, htm, htu, bodyDigest}`; the signing parties act on it, and on nothing else.',
    { type: 'string', maxLength: 8192 },
  ),
  approvals: header(
    'Quorate-Approvals',
    'Where the policy in force asks for approvals: intents over the very same method, path and body, each by an approver, separated by commas.',
    { type: 'string', maxLength: 12288 },
  ),
  prefer: header('Prefer', '`wait=N` waits up to N seconds (at most 60) for a terminal status.', { type: 'string', examples: ['wait=10'] }),
  minPosition: header('Quorate-Min-Position', 'The same as the query parameter `minPosition`.', { type: 'string', pattern: '^\\d{1,20}$' }),
  ifNoneMatch: header('If-None-Match', 'Entity tag of what the caller has; answered 304 when it is still that.', { type: 'string' }),
  lastEventId: header('Last-Event-ID', 'Where to go on; the same as the query parameter `cursor`, and stronger.', { type: 'string' }),
  correlationId: header('X-Correlation-Id', 'Names the request in logs and events.', { type: 'string', maxLength: 128 }),
}

/** Describes the routes; every schema that has a name stands under `components`. */
export function openApiDocument(routes: readonly Route[], version: string): OpenApi {
  const named = namedSchemas()
  const bodies = bodySchemas(routes)
  const paths: OpenApi['paths'] = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, named.reference) }
  }
  named.reference(PROBLEM)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Quorate',
      version,
      description: 'Wallets whose keys exist nowhere as a whole.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: { ...named.schemas, ...bodies },
      responses: problemResponses(),
      headers: HEADERS,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: `Signed with EdDSA, ES256 or RS256, with \`sub\`, \`tenant\` and \`roles\`. Tenant \`${PLATFORM_TENANT}\` is the platform itself.`,
        },
      },
    },
  }
}

function operation(route: Route, reference: (schema: JsonSchema) => JsonSchema): Operation {
  const who = `Roles: ${route.roles.join(', ')}${route.platform ? `, of tenant \`${PLATFORM_TENANT}\` only` : ''}.`
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    description: [route.description, who].filter(Boolean).join('\n\n'),
    parameters: parameters(route),
    ...(route.body && {
      requestBody: { required: true, content: { 'application/json': { schema: { $ref: COMPONENTS + route.body.name } } } },
    }),
    responses: { ...successes(route, reference), ...problems(route) },
  }
}

/** `GET /v1/wallets/:walletId/history` becomes `getWalletsHistory`, `GET /v1/wallets/:walletId` `getWalletsByWalletId`. */
function operationId({ method, path }: Route): string {
  const words = path.split('/').slice(2)
  const last = words.at(-1)
  const names = words.filter((word) => !word.startsWith(':'))
  if (last?.startsWith(':')) names.push('by', last.slice(1))
  const capitalised = names.flatMap((name) => name.split('-')).map((name) => name.charAt(0).toUpperCase() + name.slice(1))
  return method.toLowerCase() + capitalised.join('')
}

function parameters(route: Route): Parameter[] {
  const ids = [...route.path.matchAll(/:(\w+)/g)].map(
    ([, name]): Parameter => ({
      name: name!,
      in: 'path',
      description: 'Identifier.',
      required: true,
      schema: route.identifiers?.[name!]
        ? { type: 'string', pattern: route.identifiers[name!]!.source }
        : { type: 'string', format: 'uuid' },
    }),
  )
  const { idempotencyKey, intent, approvals, prefer, minPosition, ifNoneMatch, lastEventId, correlationId } = HEADER_PARAMETERS
  return [
    ...ids,
    ...Object.entries(queryParametersOf(route)).map(
      ([name, { description, required, schema }]): Parameter => ({ name, in: 'query', description, ...(required && { required }), schema }),
    ),
    ...(route.streams ? [lastEventId] : route.method === 'GET' ? [minPosition, ifNoneMatch] : [idempotencyKey]),
    ...(route.waits ? [prefer] : []),
    ...(route.intent ? [intent] : []),
    ...(route.approvals ? [approvals] : []),
    correlationId,
  ]
}

function successes(route: Route, reference: (schema: JsonSchema) => JsonSchema): { [status: string]: object } {
  const headers = Object.fromEntries(Object.keys(HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }]))
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, { description, schema }]) => [
      status,
      { description, headers, ...(schema && { content: contentOf(route, reference(schema)) }) },
    ]),
  )
}

const contentOf = ({ streams = ['application/json'] }: Route, schema: JsonSchema) =>
  Object.fromEntries(streams.map((mediaType) => [mediaType, { schema }]))

function problems(route: Route): { [status: string]: object } {
  const statuses = [400, 401, 403, 503]
  if (route.method === 'POST') statuses.push(409, 413, 415, 422)
  if (route.path.includes(':') || Object.values(route.query ?? {}).some(({ required }) => required)) statuses.push(404)
  if (route.streams) statuses.push(406, 410)
  const answered = statuses.map((status) => [String(status), { $ref: `#/components/responses/Problem${status}` }])
  return { ...(route.method === 'GET' && !route.streams && { 304: { description: 'Not modified.' } }), ...Object.fromEntries(answered) }
}

function problemResponses(): { [name: string]: object } {
  const codes = Object.entries(PROBLEMS)
  const statuses = [...new Set(codes.map(([, { status }]) => status))]
  return Object.fromEntries(
    statuses.map((status) => [
      `Problem${status}`,
      {
        description: codes
          .filter(([, kind]) => kind.status === status)
          .map(([code, { title }]) => `\`${code}\`: ${title}.`)
          .join('\n'),
        content: { 'application/problem+json': { schema: { $ref: `${COMPONENTS}Problem` } } },
      },
    ]),
  )
}

/** Moves schemas that have a title, at any depth, to the components, and leaves references in their place. */
function namedSchemas(): { schemas: Schemas; reference(schema: JsonSchema): JsonSchema } {
  const schemas: Schemas = {}
  const hoist = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(hoist)
    if (typeof value !== 'object' || value === null) return value
    const { title, ...rest } = value as { title?: unknown }
    const hoisted = Object.fromEntries(Object.entries(rest).map(([keyword, child]) => [keyword, hoist(child)]))
    if (typeof title !== 'string') return { ...(title !== undefined && { title: hoist(title) }), ...hoisted }
    schemas[title] = hoisted
    return { $ref: COMPONENTS + title }
  }
  return { schemas, reference: (schema) => hoist(schema) as JsonSchema }
}

/** The body classes of the routes and all that they refer to. */
function bodySchemas(routes: readonly Route[]): Schemas {
  const all = validationMetadatasToSchemas({
    classTransformerMetadataStorage: defaultMetadataStorage,
    refPointerPrefix: COMPONENTS,
  }) as unknown as Schemas
  const used: Schemas = {}
  const use = (name: string) => {
    const schema = all[name]
    if (!schema || used[name]) return
    used[name] = { ...schema, additionalProperties: false }
    for (const [, referred] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) use(referred!)
  }
  for (const { body } of routes) if (body) use(body.name)
  return used
}

function header(name: string, description: string, schema: JsonSchema): Parameter {
  return { name, in: 'header', description, schema }
}
