/** Numeric codes of MongoDB's error_codes.yml that this server answers with. */
const CODES = {
  InternalError: 1,
  BadValue: 2,
  FailedToParse: 9,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  ProtocolError: 17,
  IllegalOperation: 20,
  InvalidBSON: 22,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  MaxTimeMSExpired: 50,
  NamespaceExists: 48,
  InvalidIdField: 53,
  DollarPrefixedFieldName: 52,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  CommandNotSupported: 115,
  TooManyOpenCursors: 146,
  CannotIndexParallelArrays: 171,
  QueryExceededMemoryLimitNoDiskUseAllowed: 292,
  UnsupportedOpQueryCommand: 352,
  BSONObjectTooLarge: 10334,
  DuplicateKey: 11000,
  OutOfDiskSpace: 14031,
  Location15947: 15947,
  Location15952: 15952,
  Location40323: 40323,
  Location40324: 40324,
} as const

export type CodeName = keyof typeof CODES

/** An error that the client sees: its code, and fields that belong to it (e.g. `keyPattern` of a duplicate key). */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: number
  constructor(
    readonly codeName: CodeName,
    message: string,
    readonly details: { [field: string]: unknown } = {},
  ) {
    super(message)
    this.code = CODES[codeName]
  }
}
