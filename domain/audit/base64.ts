const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** With padding (RFC 4648, section 4). */
export function bytesToBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** Undefined for whatever is not the one spelling of some bytes: without its padding, of another alphabet, or with bits left over that are not zero. */
export function base64ToBytes(text: string): Uint8Array | undefined {
  if (!BASE64.test(text) || text.length % 4 !== 0) return undefined
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  return bytesToBase64(bytes) === text ? bytes : undefined
}
