import { serialize } from 'bson'
import { type Doc, isDocument, MAX_DEPTH } from '../document.ts'
import { CommandError } from '../errors.ts'

const FIRST_BYTES = 4_096
/** What a large document needed is not kept for the small ones that follow. */
const KEPT_BYTES = 1_024 * 1_024
/** Shorter texts are written byte by byte, which is faster than a call of native code. */
const SHORT = 24

let bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
let length = 0
let depth = 0

function reserve(count: number): void {
  if (length + count <= bytes.length) return
  const grown = Buffer.allocUnsafeSlow(Math.max(length + count, bytes.length * 2))
  bytes.copy(grown, 0, 0, length)
  bytes = grown
}

/** Nothing but ASCII, and short; false leaves what was written to be written over. */
function writeShort(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return false
    bytes[length + i] = unit
  }
  length += text.length
  return true
}

function writeText(text: string): void {
  reserve(text.length * 3 + 1)
  if (text.length > SHORT || !writeShort(text)) length += bytes.write(text, length)
  bytes[length++] = 0
}

function writeHead(type: number, name: string): void {
  reserve(1)
  bytes[length++] = type
  writeText(name)
}

function writeString(name: string, value: string): void {
  writeHead(0x02, name)
  reserve(4)
  const at = length
  length += 4
  writeText(value)
  bytes.writeInt32LE(length - at - 4, at)
}

function writeNumber(name: string, value: number): void {
  const small = (value | 0) === value && !Object.is(value, -0)
  writeHead(small ? 0x10 : 0x01, name)
  reserve(8)
  length = small ? bytes.writeInt32LE(value, length) : bytes.writeDoubleLE(value, length)
}

function writeBody(write: () => void): void {
  if (depth++ > MAX_DEPTH) throw new CommandError('Overflow', `BSON documents nest at most ${MAX_DEPTH} levels`)
  reserve(4)
  const at = length
  length += 4
  write()
  reserve(1)
  bytes[length++] = 0
  bytes.writeInt32LE(length - at, at)
  depth--
}

const writeFields = (document: Doc): void =>
  writeBody(() => {
    for (const name of Object.keys(document)) writeElement(name, document[name])
  })

/** What is rare is left to the codec: a document of one field, whose element is taken out of it. */
function writeRare(name: string, value: unknown): void {
  const document = serialize({ [name]: value }, { ignoreUndefined: true })
  const element = document.subarray(4, -1)
  reserve(element.length)
  bytes.set(element, length)
  length += element.length
}

function writeElement(name: string, value: unknown): void {
  if (typeof value === 'string') writeString(name, value)
  else if (typeof value === 'number') writeNumber(name, value)
  else if (typeof value === 'boolean') {
    writeHead(0x08, name)
    reserve(1)
    bytes[length++] = value ? 1 : 0
  } else if (value === null) writeHead(0x0a, name)
  else if (Array.isArray(value)) {
    writeHead(0x04, name)
    writeBody(() => {
      for (let i = 0; i < value.length; i++) writeElement(String(i), value[i] ?? null)
    })
  } else if (isDocument(value)) {
    writeHead(0x03, name)
    writeFields(value)
  } else if (value !== undefined) writeRare(name, value)
}

/** As BSON, without fields that are undefined. Whole numbers become 32-bit integers where they fit, and doubles where not. @throws Overflow */
export function encodeDocument(document: Doc): Uint8Array {
  length = 0
  depth = 0
  writeFields(document)
  const encoded = Uint8Array.prototype.slice.call(bytes, 0, length)
  if (bytes.length > KEPT_BYTES) bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  return encoded
}
