/** The ledger is not what was recorded, and nothing may be signed on its word; the message says where. */
export class LedgerCorrupt extends Error {
  override readonly name = 'LedgerCorrupt'
  readonly code = 'ledger_corrupt'
}
