/** Reports and receipts for the gauges, and a reader of the text that Prometheus scrapes. */
import type { TableFigures, TableReport } from '../../src/domain/health/health.ts';
import type { Decision } from '../../src/domain/operation.ts';
import { NOTHING_DONE, type Receipt } from '../../src/domain/receipt.ts';
import type { Metrics } from '../../src/http/metrics.ts';

export const NOW_MS = Date.parse('2026-03-01T12:00:00Z');

export function makeReport(
  table: string,
  figures: Partial<TableFigures> = {},
  own: Partial<TableReport> = {},
): TableReport {
  return {
    table,
    measuredAtMs: NOW_MS - 60_000,
    figures: { ...FIGURES, ...figures },
    failure: null,
    findings: [],
    score: { value: 100, parts: [] },
    ...own,
  };
}

const FIGURES: TableFigures = {
  tableUuid: '0b7f7a7e-0000-4000-8000-000000000001',
  snapshotId: '1',
  formatVersion: 2,
  records: 1_000,
  dataFiles: 10,
  totalBytes: 1_000_000,
  smallFiles: 4,
  deleteFiles: 2,
  deleteRatio: 0,
  manifests: 1,
  partitions: 1,
  filesPerPartitionMax: 10,
  clusteringDepth: null,
  targetFileSizeBytes: 512 * 2 ** 20,
  snapshots: 7,
  oldestSnapshotAtMs: NOW_MS - 3_600_000,
  lastCommitAtMs: NOW_MS - 120_000,
  commitsPerDay: 1,
  metadataBytes: null,
  refs: [],
  detail: {
    sizes: [],
    deletes: {
      positionFiles: 2,
      positionRecords: 5,
      equalityFiles: 0,
      equalityRecords: 0,
      vectors: 0,
      vectorRecords: 0,
    },
    partitionSkew: 1,
    backlogFiles: 9,
    clustering: [],
  },
};

export function makeDecision(kind: Decision['kind'], own: Partial<Decision> = {}): Decision {
  return {
    kind,
    action: 'run',
    engine: 'spark',
    operation: null,
    reasons: [],
    nextEligibleAt: null,
    estimate: null,
    ...own,
  };
}

export function makeReceipt(operation: Receipt['operation'], status: Receipt['status']): Receipt {
  return {
    operation,
    engine: 'spark',
    status,
    startedAt: '2026-03-01T11:00:00Z',
    finishedAt: '2026-03-01T11:00:30Z',
    snapshotBefore: null,
    snapshotAfter: null,
    filesBefore: 10,
    filesAfter: 1,
    bytesBefore: 0,
    bytesAfter: 0,
    snapshotsBefore: 1,
    snapshotsAfter: 2,
    ...NOTHING_DONE,
    bytesRewritten: 1_000,
  };
}

/** Samples by `name{labels}`, without Node's own and without comments. */
export async function scrape(metrics: Metrics): Promise<Readonly<Record<string, number>>> {
  const { body } = await metrics.render();
  const samples = body
    .split('\n')
    .filter((line) => /^(iceberg|icewright|temporal)_/.test(line))
    .map((line) => /^(.*) (\S+)$/.exec(line)?.slice(1) as [string, string]);
  return Object.fromEntries(samples.map(([name, value]) => [name, Number(value)]));
}

export function labels(table: string): string {
  const [catalog, namespace, name] = table.split('.');
  return `{catalog="${catalog}",namespace="${namespace}",table="${name}"}`;
}
