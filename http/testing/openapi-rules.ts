/** The rules of OpenAPI 3.1 that a generated document is likeliest to break. */

type Node = { [key: string]: unknown }

const OPERATION_KEYS = new Set(['operationId', 'tags', 'summary', 'description', 'parameters', 'requestBody', 'responses', 'security'])
const PARAMETER_KEYS = new Set(['name', 'in', 'description', 'required', 'schema'])
const TYPES = new Set(['string', 'integer', 'number', 'boolean', 'object', 'array', 'null'])
/** JSON Schema 2020-12 keywords in use; `nullable` and `example`, of OpenAPI 3.0, are not among them. */
const SCHEMA_KEYS = new Set(
  `$ref type enum const title description format pattern minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength
   minItems maxItems uniqueItems items properties required additionalProperties oneOf anyOf allOf not default examples minProperties discriminator contentEncoding`.split(
    /\s+/,
  ),
)

/** Everything about the document that OpenAPI 3.1 does not allow; empty when it is valid as far as these rules go. */
export function openApiViolations(document: object): string[] {
  const found: string[] = []
  const root = document as Node
  const check = (holds: boolean, where: string, what: string) => {
    if (!holds) found.push(`${where}: ${what}`)
  }
  const object = (value: unknown, where: string): Node => {
    check(typeof value === 'object' && value !== null && !Array.isArray(value), where, 'is not an object')
    return (value ?? {}) as Node
  }
  const list = (value: unknown) => (Array.isArray(value) ? value : [])

  const resolve = (reference: unknown, where: string) => {
    let at: unknown = root
    for (const token of String(reference).replace(/^#\//, '').split('/'))
      at = (at as Node | undefined)?.[token.replaceAll('~1', '/').replaceAll('~0', '~')]
    check(String(reference).startsWith('#/components/') && at !== undefined, where, `${reference} leads nowhere`)
  }

  const checkSchema = (value: unknown, where: string) => {
    if (typeof value === 'boolean') return
    const schema = object(value, where)
    for (const key of Object.keys(schema)) check(SCHEMA_KEYS.has(key), where, `${key} is not a keyword`)
    if (schema.$ref !== undefined) resolve(schema.$ref, where)
    if (schema.type !== undefined) for (const type of [schema.type].flat()) check(TYPES.has(String(type)), where, `${type} is not a type`)
    if (schema.enum !== undefined) check(list(schema.enum).length > 0, where, 'enum is empty')
    if (schema.pattern !== undefined) check(isPattern(schema.pattern), where, 'pattern is not a regular expression')
    for (const name of list(schema.required))
      check(
        Object.hasOwn(object(schema.properties ?? {}, where), name) || schema.additionalProperties === true,
        where,
        `${name} is required but no property`,
      )
    for (const [name, property] of Object.entries(object(schema.properties ?? {}, where)))
      checkSchema(property, `${where}/properties/${name}`)
    for (const key of ['items', 'not', 'additionalProperties']) if (schema[key] !== undefined) checkSchema(schema[key], `${where}/${key}`)
    for (const key of ['oneOf', 'anyOf', 'allOf'])
      for (const [index, each] of list(schema[key]).entries()) checkSchema(each, `${where}/${key}/${index}`)
  }

  const checkContent = (value: unknown, where: string) => {
    for (const [type, media] of Object.entries(object(value ?? {}, where))) {
      check(/^[\w.+-]+\/[\w.+-]+$/.test(type), where, `${type} is not a media type`)
      checkSchema(object(media, where).schema, `${where}/${type}`)
    }
  }

  const checkResponse = (value: unknown, where: string) => {
    const response = object(value, where)
    if (response.$ref !== undefined) return resolve(response.$ref, where)
    check(typeof response.description === 'string' && response.description !== '', where, 'has no description')
    for (const header of Object.values(object(response.headers ?? {}, where)))
      if ((header as Node).$ref) resolve((header as Node).$ref, where)
    checkContent(response.content, where)
  }

  check(/^3\.1\.\d+$/.test(String(root.openapi)), '/openapi', 'is not 3.1')
  const info = object(root.info, '/info')
  check(typeof info.title === 'string' && typeof info.version === 'string', '/info', 'has no title or version')
  const components = object(root.components, '/components')
  for (const kind of ['schemas', 'responses', 'headers', 'securitySchemes'])
    for (const name of Object.keys(object(components[kind] ?? {}, kind)))
      check(/^[\w.-]+$/.test(name), `/components/${kind}`, `${name} is not a component name`)
  for (const [name, schema] of Object.entries(object(components.schemas, '/components/schemas')))
    checkSchema(schema, `/components/schemas/${name}`)
  for (const [name, response] of Object.entries(object(components.responses, '/components/responses')))
    checkResponse(response, `/components/responses/${name}`)
  for (const requirement of list(root.security))
    for (const name of Object.keys(requirement))
      check(Object.hasOwn(object(components.securitySchemes, 'security'), name), '/security', `${name} is not a scheme`)

  const operationIds: unknown[] = []
  const tags = list(root.tags).map((tag) => tag.name)
  for (const [path, methods] of Object.entries(object(root.paths, '/paths'))) {
    check(path.startsWith('/'), path, 'does not begin with a slash')
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    for (const [method, value] of Object.entries(object(methods, path))) {
      const where = `${method} ${path}`
      const operation = object(value, where)
      check(['get', 'put', 'post', 'delete', 'patch'].includes(method), where, 'is not a method')
      for (const key of Object.keys(operation)) check(OPERATION_KEYS.has(key), where, `${key} is not of an operation`)
      operationIds.push(operation.operationId)
      for (const tag of list(operation.tags)) check(tags.includes(tag), where, `tag ${tag} is not declared`)
      const parameters = list(operation.parameters) as Node[]
      const declared = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
      check(declared.join() === inPath.join(), where, `declares the path parameters ${declared.join()}`)
      check(
        new Set(parameters.map((parameter) => `${parameter.in} ${parameter.name}`)).size === parameters.length,
        where,
        'declares a parameter twice',
      )
      for (const parameter of parameters) {
        for (const key of Object.keys(parameter)) check(PARAMETER_KEYS.has(key), where, `${key} is not of a parameter`)
        check(parameter.in !== 'path' || parameter.required === true, where, `${parameter.name} must be required`)
        check(
          !['authorization', 'content-type', 'accept'].includes(String(parameter.name).toLowerCase()),
          where,
          `${parameter.name} is not a parameter`,
        )
        checkSchema(parameter.schema, `${where} ${parameter.name}`)
      }
      if (operation.requestBody !== undefined) checkContent(object(operation.requestBody, where).content, `${where} body`)
      const responses = object(operation.responses, where)
      check(
        Object.keys(responses).some((status) => status.startsWith('2')),
        where,
        'has no success',
      )
      for (const [status, response] of Object.entries(responses)) {
        check(/^[1-5]\d\d$/.test(status), where, `${status} is not a status`)
        checkResponse(response, `${where} ${status}`)
      }
    }
  }
  check(
    operationIds.every((id) => typeof id === 'string') && new Set(operationIds).size === operationIds.length,
    '/paths',
    'operation ids are not unique',
  )
  return found
}

function isPattern(pattern: unknown): boolean {
  try {
    return new RegExp(String(pattern), 'u') instanceof RegExp
  } catch {
    return false
  }
}
