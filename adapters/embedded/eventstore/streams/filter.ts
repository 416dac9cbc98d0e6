/** Which events a filtered read of all streams lets through. */
export type FilterExpression = { on: 'stream' | 'type'; prefixes: readonly string[] } | { on: 'stream' | 'type'; regex: string }

type Subject = { stream: string; type: string }

export type EventFilter = (event: Subject) => boolean

export const everything: EventFilter = () => true

/** @throws SyntaxError when the regular expression is invalid */
export function compileFilter(expression: FilterExpression): EventFilter {
  const subject = (event: Subject) => (expression.on === 'stream' ? event.stream : event.type)
  if ('prefixes' in expression) {
    const { prefixes } = expression
    return (event) => prefixes.some((prefix) => subject(event).startsWith(prefix))
  }
  const regex = new RegExp(expression.regex)
  return (event) => regex.test(subject(event))
}
