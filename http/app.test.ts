import test from 'ava'
import { DomainError } from '../domain/domain-error.ts'
import { Unavailable, WrongExpectedRevision } from '../domain/ports/event-log.ts'
import { runApp } from './testing/running-app.ts'
import { exampleRoutes, type SeenRequest, SPEND, WALLET_ID } from './testing/transfer-route.ts'

const spend = `/v1/wallets/${WALLET_ID}/spend`
const stop = `/v1/wallets/${WALLET_ID}/stop`
const balance = `/v1/wallets/${WALLET_ID}/balance`

test('a command reaches its handler as an instance of its body class, with everything the contract promises', async (t) => {
  const seen: SeenRequest[] = []
  const app = await runApp(
    t,
    exampleRoutes((request) => seen.push(request)),
  )
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const reply = await app.call('POST', spend, {
    body: SPEND,
    headers: { 'idempotency-key': 'k1', 'quorate-intent': 'aa.bb.cc', 'x-correlation-id': 'order-7', traceparent },
  })
  t.is(reply.status, 202)
  t.true(reply.json.isInstance)
  t.is(reply.headers.get('quorate-position'), '42')
  t.is(reply.headers.get('location'), `/v1/wallets/${WALLET_ID}`)
  t.is(reply.headers.get('x-correlation-id'), 'order-7')
  const [request] = seen
  t.like(request, {
    method: 'POST',
    path: spend,
    params: { walletId: WALLET_ID },
    intent: 'aa.bb.cc',
    idempotencyKey: 'k1',
    correlationId: 'order-7',
    traceparent,
    principal: { sub: 'alice', tenant: 'acme' },
  })
  t.deepEqual(request?.rawBody, Buffer.from(JSON.stringify(SPEND)))
  t.regex(request?.requestDigest ?? '', /^[0-9a-f]{64}$/)
})

test('the same idempotency key gives the same command id, other callers and other keys another', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const commandId = async (key?: string, sub = 'alice') => {
    const authorization = `Bearer ${await app.token({ sub })}`
    const reply = await app.call('POST', spend, { body: SPEND, headers: key ? { 'idempotency-key': key } : {}, authorization })
    return reply.json.commandId
  }
  const first = await commandId('k')
  t.is(await commandId('k'), first)
  t.is(new Set([first, await commandId('k2'), await commandId('k', 'bob'), await commandId(), await commandId()]).size, 5)
})

test('a second request with an idempotency key in flight is told to come back', async (t) => {
  let release = () => {}
  let entered = () => {}
  const inside = new Promise<void>((resolve) => {
    entered = resolve
  })
  const app = await runApp(
    t,
    exampleRoutes(() => {
      entered()
      return new Promise<void>((resolve) => {
        release = resolve
      })
    }),
  )
  const options = { body: SPEND, headers: { 'idempotency-key': 'k' } }
  const first = app.call('POST', spend, options)
  await inside
  const second = await app.call('POST', spend, options)
  t.is(second.status, 409)
  t.like(second.json, { code: 'idempotency_key_in_flight', retryable: true })
  t.is(second.headers.get('retry-after'), '1')
  release()
  t.is((await first).status, 202)
})

test('bad input is answered with problem details that name what is wrong, and never with a 500', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const cases: [name: string, body: unknown, status: number, code: string, pointer?: string][] = [
    ['not JSON', '{"memo": ', 400, 'malformed_json'],
    ['empty', '', 400, 'malformed_json'],
    ['an array', '[]', 400, 'malformed_json'],
    ['a string', '"x"', 400, 'malformed_json'],
    ['null', 'null', 400, 'malformed_json'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, 'malformed_json'],
    ['half a surrogate pair', '{"memo": "\\ud800"}', 422, 'validation_failed', '/memo'],
    ['too deep', `{"extra": ${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`, 422, 'validation_failed'],
    ['a depth bomb', `{"extra": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 422, 'validation_failed'],
    ['prototype pollution', '{"__proto__": {"polluted": true}}', 422, 'validation_failed', '/__proto__'],
    [
      'nested prototype pollution',
      '{"fee": {"level": "low", "constructor": {"prototype": {}}}}',
      422,
      'validation_failed',
      '/fee/constructor',
    ],
    ['a missing field', { ...SPEND, memo: undefined }, 422, 'validation_failed', '/memo'],
    ['a null field', { ...SPEND, memo: null }, 422, 'validation_failed', '/memo'],
    ['a null element', { ...SPEND, outputs: [null] }, 422, 'validation_failed', '/outputs/0'],
    ['a wrong type', { ...SPEND, memo: 5 }, 422, 'validation_failed', '/memo'],
    ['an unknown field', { ...SPEND, 'a/b~c': 1 }, 422, 'validation_failed', '/a~1b~0c'],
    ['a nested unknown field', { ...SPEND, fee: { level: 'low', tip: 1 } }, 422, 'validation_failed', '/fee/tip'],
    ['an array of wrong elements', { ...SPEND, outputs: [{ to: 'bob', amount: 0 }] }, 422, 'validation_failed', '/outputs/0/amount'],
    ['an array of the wrong kind', { ...SPEND, outputs: [5] }, 422, 'validation_failed', '/outputs/0'],
    ['an object for an array', { ...SPEND, outputs: { to: 'bob', amount: 1 } }, 422, 'validation_failed', '/outputs'],
    ['an array for an object', { ...SPEND, fee: [{ level: 'low' }] }, 422, 'validation_failed', '/fee'],
    ['a string for an object', { ...SPEND, fee: 'low' }, 422, 'validation_failed', '/fee'],
    ['an array in an array', { ...SPEND, outputs: [[SPEND.outputs[0]]] }, 422, 'validation_failed'],
  ]
  for (const [name, body, status, code, pointer] of cases) {
    const reply = await app.call('POST', spend, { body })
    t.is(reply.status, status, `${name}: ${reply.text}`)
    t.is(reply.headers.get('content-type'), 'application/problem+json', name)
    t.like(reply.json, { status, code, retryable: false, correlationId: reply.headers.get('x-correlation-id') }, name)
    if (pointer) t.is(reply.json.errors[0].pointer, pointer, `${name}: ${reply.text}`)
    t.false(reply.text.includes('.ts'), name)
  }
  t.is(({} as { polluted?: boolean }).polluted, undefined)
})

test('every wrong field is named at once, as a JSON Pointer with a code', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const { json } = await app.call('POST', spend, { body: { outputs: [{ to: 5, amount: 1, x: 1 }], fee: { level: 'mid' } } })
  const found = json.errors.map(({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`).sort()
  t.deepEqual(found, ['/fee/level invalid_value', '/memo missing_field', '/outputs/0/to wrong_type', '/outputs/0/x unknown_field'])
})

test('a route without a body takes none, or an empty object', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const authorization = `Bearer ${await app.token({ tenant: '*' })}`
  t.is((await app.call('POST', stop, { authorization })).status, 204)
  t.is((await app.call('POST', stop, { authorization, body: {} })).status, 204)
  const reply = await app.call('POST', stop, { authorization, body: { why: 1 } })
  t.is(reply.status, 422)
  t.like(reply.json.errors[0], { pointer: '/why', code: 'unknown_field' })
})

test('roles and the platform tenant are enforced', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const status = async (method: string, path: string, tenant: string, roles: readonly ('client' | 'auditor' | 'operator')[]) => {
    const authorization = `Bearer ${await app.token({ tenant, roles })}`
    const reply = await app.call(method, path, { authorization, ...(method === 'POST' && path === spend && { body: SPEND }) })
    return [reply.status, reply.json?.code]
  }
  t.deepEqual(await status('POST', spend, 'acme', ['auditor', 'operator']), [403, 'forbidden'])
  t.deepEqual(await status('GET', balance, 'acme', []), [403, 'forbidden'])
  t.deepEqual(await status('GET', balance, 'acme', ['auditor']), [200, undefined])
  t.deepEqual(await status('POST', stop, 'acme', ['operator']), [403, 'forbidden'])
  t.deepEqual(await status('POST', stop, '*', ['client']), [403, 'forbidden'])
  t.deepEqual(await status('POST', stop, '*', ['operator']), [204, undefined])
})

test('an identifier that is not a lower-case UUID, spelled plainly, is not found', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const escaped = `%35${WALLET_ID.slice(1)}`
  for (const id of ['x', WALLET_ID.toUpperCase(), escaped, `${WALLET_ID}0`, '%00', '%ff', '..%2f..']) {
    const reply = await app.call('GET', `/v1/wallets/${id}/balance`)
    t.deepEqual([reply.status, reply.json.code, reply.json.detail], [404, 'wallet_not_found', 'no such wallet'], id)
  }
})

test('unknown paths are 404, wrong methods 405 with Allow, OPTIONS 204 with Allow, HEAD like GET without a body', async (t) => {
  const app = await runApp(t, exampleRoutes())
  for (const path of ['/', '/v2', '/v1/wallets', `${balance}/`, balance.toUpperCase(), '//', '/v1//wallets']) {
    const reply = await app.call('GET', path)
    t.deepEqual([reply.status, reply.json?.code], [404, 'not_found'], path)
  }
  const wrong = await app.call('DELETE', balance)
  t.deepEqual([wrong.status, wrong.json.code, wrong.headers.get('allow')], [405, 'method_not_allowed', 'HEAD, GET, OPTIONS'])
  t.is((await app.call('GET', spend)).status, 405)
  const options = await app.call('OPTIONS', spend, { authorization: null })
  t.deepEqual([options.status, options.headers.get('allow'), options.text], [204, 'POST, OPTIONS', ''])
  const head = await app.call('HEAD', balance)
  t.deepEqual([head.status, head.text, head.headers.get('etag')], [200, '', '"3"'])
})

test('a GET is answered with its entity tag, and 304 to who has it', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const reply = await app.call('GET', balance)
  t.deepEqual([reply.status, reply.headers.get('etag'), reply.headers.get('quorate-position')], [200, '"3"', '7'])
  for (const tag of ['"3"', 'W/"3"', '"2", "3"', '*']) {
    const again = await app.call('GET', balance, { headers: { 'if-none-match': tag } })
    t.deepEqual([again.status, again.text, again.headers.get('etag')], [304, '', '"3"'], tag)
  }
  t.is((await app.call('GET', balance, { headers: { 'if-none-match': '"4"' } })).status, 200)
})

test('query parameters are checked against their declaration, unknown and repeated ones refused', async (t) => {
  const seen: SeenRequest[] = []
  const app = await runApp(
    t,
    exampleRoutes((request) => seen.push(request)),
  )
  for (const query of [
    'limit=0',
    'limit=201',
    'limit=x',
    'limit=1e2',
    'limit=',
    'limit=1&limit=2',
    'asOf=1',
    'minPosition=-1',
    '__proto__=1',
    'constructor=1',
  ]) {
    const reply = await app.call('GET', `${balance}?${query}`)
    t.deepEqual([reply.status, reply.json.code, reply.json.errors[0].parameter], [400, 'invalid_parameter', query.split('=')[0]], query)
  }
  t.is((await app.call('GET', `${balance}?limit=200&minPosition=12`)).status, 200)
  t.is((await app.call('GET', balance, { headers: { 'quorate-min-position': '13' } })).status, 200)
  t.deepEqual(
    seen.map(({ query, minPosition }) => [query.limit, minPosition]),
    [
      ['200', 12n],
      [undefined, 13n],
    ],
  )
})

test('malformed headers of the contract are refused, an unusable correlation id is replaced', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const intent = `${'a'.repeat(4000)}.${'b'.repeat(4000)}.${'c'.repeat(200)}`
  for (const [name, value] of [
    ['Idempotency-Key', 'has space'],
    ['Idempotency-Key', 'k'.repeat(256)],
    ['Quorate-Intent', 'aa.bb'],
    ['Quorate-Intent', 'aa.bb.c='],
    ['Quorate-Intent', intent],
    ['Quorate-Min-Position', 'x'],
  ] as const) {
    const reply = await app.call('POST', spend, { body: SPEND, headers: { [name]: value } })
    t.deepEqual(
      [reply.status, reply.json.code, reply.json.errors[0].header],
      [400, 'invalid_header', name],
      `${name}: ${value.slice(0, 20)}`,
    )
  }
  const reply = await app.call('GET', balance, { headers: { 'x-correlation-id': 'a b"<script>' } })
  t.regex(reply.headers.get('x-correlation-id') ?? '', /^[0-9a-f-]{36}$/)
})

test('what handlers throw becomes the problem it stands for; of the unexpected nothing is told', async (t) => {
  const thrown: unknown[] = []
  const app = await runApp(
    t,
    exampleRoutes(() => {
      throw thrown.pop()
    }),
  )
  const answer = async (error: unknown) => {
    thrown.push(error)
    const { status, json, headers } = await app.call('POST', spend, { body: SPEND })
    return [status, json.code, json.retryable, headers.get('retry-after')]
  }
  t.deepEqual(await answer(new DomainError('wallet_frozen', 'frozen')), [409, 'wallet_frozen', false, null])
  t.deepEqual(await answer(new WrongExpectedRevision('wallet-1')), [409, 'command_conflict', true, '1'])
  t.deepEqual(await answer(new Unavailable('eventstore', { cause: new Error('secret') })), [503, 'dependency_unavailable', true, '1'])
  t.deepEqual(await answer('a string'), [500, 'internal_error', false, null])

  thrown.push(new DomainError('threshold_invalid', 'too high', '/threshold'))
  const pointed = await app.call('POST', spend, { body: SPEND })
  t.deepEqual(pointed.json.errors, [{ pointer: '/threshold', code: 'threshold_invalid', detail: 'too high' }])

  thrown.push(new TypeError('secret of line 12'))
  const unexpected = await app.call('POST', spend, { body: SPEND })
  t.is(unexpected.status, 500)
  t.false(/secret|TypeError|app\./.test(unexpected.text))
  const recorded = app.log.find(({ correlationId, level }) => correlationId === unexpected.json.correlationId && level === 50)
  t.regex(JSON.stringify(recorded), /TypeError: secret of line 12/)
})

test('the log has one line per request, without tokens, bodies, intents or query strings', async (t) => {
  const app = await runApp(t, exampleRoutes())
  await app.call('POST', spend, {
    body: { ...SPEND, memo: 'confidential' },
    headers: { 'quorate-intent': 'secretjws.secretjws.secretjws' },
  })
  await app.call('GET', `${balance}?limit=77`)
  await app.call('GET', '/nowhere?secretquery')
  const lines = app.log.filter(({ msg }) => msg === 'request')
  t.deepEqual(
    lines.map(({ method, route, status, tenant, sub, problem }) => [method, route, status, tenant, sub, problem]),
    [
      ['POST', 'POST /v1/wallets/:walletId/spend', 202, 'acme', 'alice', undefined],
      ['GET', 'GET /v1/wallets/:walletId/balance', 200, 'acme', 'alice', undefined],
      ['GET', 'unmatched', 404, undefined, undefined, 'not_found'],
    ],
  )
  t.false(/confidential|secret|Bearer|eyJ|limit/.test(JSON.stringify(app.log)))
})
