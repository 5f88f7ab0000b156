/** What is remembered of a table before an operation changes it. */
import type { SnapshotRef, TableHealth } from './health/health.ts';
import type { Operation, TableFacts } from './operation.ts';
import { watermarksInChain } from './planner/expiry-watermarks.ts';
import { type RowBounds, rowBounds } from './row-bounds.ts';
import { factsOf, propertiesOf } from './table-facts.ts';

/** What a table was before an operation; kept in the ledger from the first attempt on. */
export interface BeforeOperation {
  readonly snapshotId: string | null;
  readonly rows: RowBounds;
  readonly files: number;
  readonly bytes: number;
  readonly snapshots: number;
  readonly refs: readonly SnapshotRef[];
  /** What operations without a snapshot change; absent in rows of earlier versions. */
  readonly statisticsFiles?: readonly string[];
  readonly partitionStatisticsFiles?: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
  /** Absent in rows of earlier versions, as is `snapshotIds`. */
  readonly facts?: TableFacts;
  /** Only of an operation that takes snapshots away. */
  readonly snapshotIds?: readonly string[];
  /** Only of an expiry: what whoever starts again finds by walking the parents. */
  readonly watermarks?: readonly string[];
}

/** Of a table that is not there, or no longer. */
export const NO_TABLE: BeforeOperation = {
  snapshotId: null,
  rows: { min: 0, max: 0 },
  files: 0,
  bytes: 0,
  snapshots: 0,
  refs: [],
};

export function beforeOf(health: TableHealth, operation?: Operation): BeforeOperation {
  const { snapshots } = health;
  return {
    snapshotId: health.snapshotId,
    rows: rowBounds(health),
    files: health.dataFiles,
    bytes: health.totalBytes,
    snapshots: snapshots.length,
    refs: health.refs,
    statisticsFiles: health.statisticsFiles ?? [],
    partitionStatisticsFiles: health.partitionStatisticsFiles ?? [],
    properties: propertiesOf(health),
    facts: factsOf(health),
    ...(operation?.kind === 'expire_snapshots'
      ? {
          snapshotIds: snapshots.map((one) => one.snapshotId),
          watermarks: watermarksInChain(health),
        }
      : {}),
  };
}
