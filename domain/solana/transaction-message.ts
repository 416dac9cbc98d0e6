/** What the bytes stand for cannot be read on. */
class EndOfMessage extends Error {}

const KEY_BYTES = 32
const BLOCKHASH_BYTES = 32
const VERSIONED = 0x80

/**
 * Whether validators could take these bytes for the message of a transaction, legacy, of version 0, or of version 1 (SIMD-0385): its signers sign just these.
 * More is taken for one than has a meaning: accounts and programs are not looked at.
 */
export function isTransactionMessage(bytes: Uint8Array): boolean {
  const reader = readerOf(bytes)
  try {
    const isOne = readMessage(reader)
    return isOne && reader.isAtEnd()
  } catch (error) {
    if (error instanceof EndOfMessage) return false
    throw error
  }
}

function readMessage(reader: Reader): boolean {
  const first = reader.byte()
  if (first < VERSIONED) return readLegacy(reader, first)
  if (first === VERSIONED) {
    const isOne = readLegacy(reader, reader.byte())
    for (let lookups = reader.compact(); lookups > 0; lookups--) {
      reader.skip(KEY_BYTES)
      reader.skip(reader.compact())
      reader.skip(reader.compact())
    }
    return isOne
  }
  return first === VERSIONED + 1 && readVersion1(reader)
}

function readLegacy(reader: Reader, signers: number): boolean {
  const isSound = readHeader(reader, signers)
  const keys = reader.compact()
  reader.skip(keys * KEY_BYTES + BLOCKHASH_BYTES)
  for (let instructions = reader.compact(); instructions > 0; instructions--) {
    reader.byte()
    reader.skip(reader.compact())
    reader.skip(reader.compact())
  }
  return isSound(keys)
}

/** Header, mask of settings, lifetime, numbers of instructions and keys; keys, four bytes a setting, instructions, first all heads and then all contents. */
function readVersion1(reader: Reader): boolean {
  const isSound = readHeader(reader, reader.byte())
  const settings = [reader.byte(), reader.byte(), reader.byte(), reader.byte()].reduce((sum, mask) => sum + bitsIn(mask), 0)
  reader.skip(BLOCKHASH_BYTES)
  const instructions = reader.byte()
  const keys = reader.byte()
  reader.skip(keys * KEY_BYTES + settings * 4)
  let contents = 0
  for (let i = 0; i < instructions; i++) {
    reader.byte()
    contents += reader.byte() + reader.byte() + (reader.byte() << 8)
  }
  reader.skip(contents)
  return isSound(keys)
}

/** Somebody pays the fee, who has to be able to; and there are as many keys as are told apart. */
function readHeader(reader: Reader, signers: number): (keys: number) => boolean {
  const [readonlySigners, readonlyOthers] = [reader.byte(), reader.byte()]
  return (keys) => readonlySigners < signers && signers + readonlyOthers <= keys
}

function bitsIn(byte: number): number {
  let bits = 0
  for (let left = byte; left > 0; left >>= 1) bits += left & 1
  return bits
}

type Reader = ReturnType<typeof readerOf>

function readerOf(bytes: Uint8Array) {
  let at = 0
  const byte = (): number => {
    const value = bytes[at++]
    if (value === undefined) throw new EndOfMessage()
    return value
  }
  return {
    byte,
    /** A length in one to three bytes, seven bits each, the lowest first ("compact-u16"); also in more bytes than it needs. */
    compact(): number {
      let value = 0
      for (let shift = 0; shift <= 14; shift += 7) {
        const next = byte()
        value |= (next & 0x7f) << shift
        if (next < 0x80) break
      }
      return value
    },
    skip(length: number): void {
      at += length
      if (at > bytes.length) throw new EndOfMessage()
    },
    isAtEnd: () => at === bytes.length,
  }
}
