const BASE64URL = /^[A-Za-z0-9_-]*$/

/** Without padding (RFC 7515, section 2). */
export function bytesToBase64url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Undefined for whatever is not the one spelling of some bytes: padded, of another alphabet, or with bits left over that are not zero. */
export function base64urlToBytes(text: string): Uint8Array | undefined {
  if (!BASE64URL.test(text) || text.length % 4 === 1) return undefined
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
  return bytesToBase64url(bytes) === text ? bytes : undefined
}
