import test from 'ava'
import { openApiDocument } from './openapi.ts'
import { openApiViolations } from './testing/openapi-rules.ts'
import { runApp } from './testing/running-app.ts'
import { exampleRoutes } from './testing/transfer-route.ts'

test('the document is served, and is valid OpenAPI 3.1', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const { json } = await app.call('GET', '/openapi.json', { authorization: null })
  t.deepEqual(openApiViolations(json), [])
  t.deepEqual(Object.keys(json.paths), ['/v1/wallets/{walletId}/spend', '/v1/wallets/{walletId}/stop', '/v1/wallets/{walletId}/balance'])
})

test('the rules notice a broken document', (t) => {
  const good = openApiDocument(exampleRoutes(), '1')
  // biome-ignore lint/suspicious/noExplicitAny: to be broken where its type forbids it
  const broken = structuredClone(good) as any
  const operation = broken.paths['/v1/wallets/{walletId}/spend'].post
  operation.parameters[0].name = 'other'
  operation.requestBody.content['application/json'].schema.$ref = '#/components/schemas/Nothing'
  broken.paths['/v1/wallets/{walletId}/stop'].post.operationId = operation.operationId
  broken.components.schemas.SpendBody.properties.memo = { type: 'text', nullable: true }
  t.deepEqual(openApiViolations(good), [])
  t.is(openApiViolations(broken).length, 5)
})

test('body classes, nested ones and named schemas are components, closed to unknown fields', (t) => {
  const { components, paths } = openApiDocument(exampleRoutes(), '1')
  const schemas = components.schemas as {
    [name: string]: { required: string[]; additionalProperties: boolean; properties: { [name: string]: Record<string, object> } }
  }
  t.deepEqual(Object.keys(schemas).sort(), ['FeeBody', 'OutputBody', 'Problem', 'SpendBody', 'Spending'])
  const spend = schemas.SpendBody!
  t.deepEqual(spend.required, ['memo', 'outputs', 'fee'])
  t.false(spend.additionalProperties)
  t.like(spend.properties.fee, { $ref: '#/components/schemas/FeeBody' })
  t.deepEqual(spend.properties.outputs?.items, { $ref: '#/components/schemas/OutputBody' })
  t.deepEqual(schemas.Spending?.properties.title, { type: 'string' })
  const names = paths['/v1/wallets/{walletId}/spend']?.post?.parameters.map(({ name }) => name)
  t.deepEqual(names, ['walletId', 'Idempotency-Key', 'Quorate-Intent', 'X-Correlation-Id'])
})

test('the page for people is one document without scripts, and escapes what it shows', async (t) => {
  const [route] = exampleRoutes()
  const app = await runApp(t, [{ ...route!, summary: '<script>alert(1)</script>' }])
  const { status, text, headers } = await app.call('GET', '/docs', { authorization: null })
  t.is(status, 200)
  t.regex(headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/)
  t.false(/<script|<link|src=|https?:\/\//.test(text))
  t.true(text.includes('/v1/wallets/{walletId}/spend'))
  t.true(text.includes('id="wallet_frozen"'))
})
