import type { Manifest } from '../../domain/archive/manifest.ts'

export type FindingCode =
  | 'manifest_missing'
  | 'manifest_forged'
  | 'manifests_out_of_order'
  | 'segment_missing'
  | 'segment_not_retrieved'
  | 'segment_unreadable'
  | 'segment_replaced'
  | 'hashes_missing'
  | 'hashes_changed'
  | 'event_changed'
  | 'event_dropped'
  | 'event_inserted'
  | 'events_reordered'
  | 'columns_changed'
  | 'index_missing'
  | 'index_changed'
  | 'tree_broken'
  | 'archive_truncated'
  | 'checkpoint_forged'

/** What is wrong, and where; `event` is what the segment holds there now. */
export type Finding = {
  readonly code: FindingCode
  readonly segment: number
  readonly file: string
  readonly leafIndex?: number
  readonly event?: { readonly stream: string; readonly revision: string; readonly id: string; readonly type: string }
  readonly message: string
}

export type Report = (code: FindingCode, file: string, message: string) => void

/** The events of a segment, for people. */
export const rangeOf = ({ first, count }: Manifest): string => `${first} to ${first + count - 1}`
