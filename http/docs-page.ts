/** The OpenAPI document as one page for people: no script, nothing loaded from elsewhere. */
import { createHash } from 'node:crypto'
import type { OpenApi, Operation } from './openapi.ts'
import { PROBLEMS } from './problem.ts'

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }
code, pre { font: 14px/1.5 ui-monospace, monospace }
pre { background: #f6f8fa; padding: .75rem; overflow-x: auto; border-radius: 6px }
details { border: 1px solid #d0d7de; border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem }
summary { cursor: pointer }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-top: 1px solid #d8dee4 }
.method { display: inline-block; width: 3.5rem; font-weight: 600 }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3 } pre { background: #161b22 } details, td, th { border-color: #30363d } a { color: #6cb6ff } }
`

/** Allows the page its own style sheet, and nothing else. */
export const DOCS_CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`

export function docsPage({ info, tags, paths, components }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const groups = tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name))
    return `<h2>${escapeHtml(name)}</h2>${own.map(({ path, method, operation }) => operationDetails(path, method, operation)).join('')}`
  })
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary>${json(schema)}</details>`,
  )
  const problems = Object.entries(PROBLEMS).map(
    ([code, { status, title, retryable }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${escapeHtml(title)}${retryable ? ' (retryable)' : ''}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(info.title)}</title><style>${STYLE}</style></head>
<body><h1>${escapeHtml(info.title)} ${escapeHtml(info.version)}</h1><p>${escapeHtml(info.description)} <a href="/openapi.json">OpenAPI document</a></p>
${groups.join('\n')}
<h2>Schemas</h2>${schemas.join('\n')}
<h2>Problems</h2><table><tr><th>code</th><th>status</th><th>meaning</th></tr>${problems.join('\n')}</table>
</body></html>`
}

function operationDetails(path: string, method: string, operation: Operation): string {
  const parameters = operation.parameters.map(
    ({ name, in: place, required, description }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${place}${required ? ', required' : ''}</td><td>${escapeHtml(description)}</td></tr>`,
  )
  const body = operation.requestBody ? `<h4>Body</h4>${json(operation.requestBody.content['application/json'].schema)}` : ''
  const answers = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'))
  return `<details id="${operation.operationId}"><summary><code><span class="method">${method}</span> ${escapeHtml(path)}</code> ${escapeHtml(operation.summary)}</summary>
<p>${escapeHtml(operation.description)}</p><table>${parameters.join('')}</table>${body}
${answers.map(([status, answer]) => `<h4>${status}</h4>${json(answer)}`).join('')}</details>`
}

const json = (value: unknown) => `<pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre>`

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
