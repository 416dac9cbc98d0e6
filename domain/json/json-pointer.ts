/** A reference token of a JSON Pointer (RFC 6901), shortened where somebody chose a very long name. */
export function pointerToken(name: string): string {
  return `/${name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
