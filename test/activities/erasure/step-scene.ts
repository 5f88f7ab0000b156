/** A table of counts alone, and what an erasure's steps ask around it: no engine, no store. */
import { MockActivityEnvironment } from '@temporalio/testing';
import type { ErasureDeps } from '../../../src/activities/erasure/deps.ts';
import { eraseStep } from '../../../src/activities/erasure/table-step.ts';
import type { TableProgress } from '../../../src/activities/erasure/work.ts';
import type {
  ErasureFile,
  ErasureFilter,
  FileFilter,
  TableWork,
} from '../../../src/activities/erasure-ports.ts';
import type { Statement } from '../../../src/domain/engine.ts';
import type { Counted } from '../../../src/domain/erasure/count-oracle.ts';
import { TABLE_STEPS, type TableStep } from '../../../src/domain/erasure/table-steps.ts';
import { IcewrightError } from '../../../src/domain/errors.ts';
import type { SnapshotInfo, TableHealth } from '../../../src/domain/health/health.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';
import * as compile from '../../../src/engines/spark/compile.ts';
import * as compileErasure from '../../../src/engines/spark/compile-erasure-steps.ts';
import { erasureRequest } from '../../proof/fixture.ts';

export const TABLE = 'lake.a.t';
const BATCH = 'batch-1';
const OTHER_BATCH = 'batch-2';
const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
const SUMMARY_SETTING = 'spark.sql.iceberg.snapshot-property.';

export interface StoredObject {
  readonly uri: string;
  readonly versionId: string;
  readonly isLatest?: boolean;
  readonly isDeleteMarker?: boolean;
}

export interface ManifestRow {
  readonly spec: number;
  readonly bytes: number;
  readonly removed: number;
}

export class StepScene {
  uuid = 'one';
  location = 's3://lake/a/t';
  properties: Record<string, string> = {};
  snapshots: SnapshotInfo[] = [];
  counts = new Map<string, Counted>();
  head: string | null = null;
  deleteFiles = 0;
  /** What the metadata names, and what of it the head still needs. */
  named: string[] = [];
  needed: string[] = [];
  objects: StoredObject[] = [];
  manifests: ManifestRow[] = [];
  files = new Map<string, ErasureFile>();
  progress: TableProgress | null = null;
  /** Of another batch. */
  otherProgress: Partial<TableProgress> | null = null;
  /** Statements of Spark, in order. */
  readonly said: string[] = [];
  /** Thrown once, when a statement that begins so comes; after it took effect. */
  dies: { readonly at: string; readonly error: Error } | null = null;
  /** Rows of others that a `DELETE` takes along. */
  loses = 0;
  /** A `DELETE` does not carry its summary into the commit. */
  byMetadata = false;
  /** Full rewrites until no equality delete is left. */
  stubborn = 0;

  commit(
    operation: string,
    counted: Counted,
    summary: Readonly<Record<string, string>> = {},
  ): string {
    const snapshotId = String(this.counts.size + 101);
    const at = { sequenceNumber: this.counts.size, committedAtMs: NOW_MS };
    this.snapshots.push({ ...at, snapshotId, parentSnapshotId: this.head, operation, summary });
    this.counts.set(snapshotId, counted);
    this.head = snapshotId;
    return snapshotId;
  }

  /** One job: every step, or those up to one that fails. A retry of the activity is `attempt` 2. */
  async job(tries: number, attempt = 1): Promise<readonly Receipt[]> {
    const receipts: Receipt[] = [];
    for (const [ordinal, step] of TABLE_STEPS.entries()) {
      const receipt = await this.step(step, `${BATCH}.${TABLE}.0.${tries}`, ordinal, attempt);
      receipts.push(receipt);
      if (receipt.status === 'failed') break;
    }
    return receipts;
  }

  async step(step: TableStep, runId: string, ordinal = 0, attempt = 1): Promise<Receipt> {
    const environment = new MockActivityEnvironment({ attempt });
    const input = { table: TABLE, batchId: BATCH, runId, step, ordinal };
    return (await environment.run(() => eraseStep(this.deps(), input))) as Receipt;
  }

  private health(): TableHealth {
    return {
      table: TABLE,
      tableUuid: this.uuid,
      location: this.location,
      formatVersion: 2,
      properties: { ...this.properties },
      snapshotId: this.head,
      snapshots: [...this.snapshots],
      refs: this.head === null ? [] : [{ name: 'main', type: 'branch', snapshotId: this.head }],
      columns: [{ name: 'customer_id', type: 'long' }],
      partitionFields: [],
      deleteFiles: this.deleteFiles,
      dataFiles: 1,
      totalBytes: 1,
    } as unknown as TableHealth;
  }

  private version() {
    const { uuid: tableUuid, head: snapshotId, location, properties } = this;
    const metadataLocation = `${location}/metadata/now.json`;
    return { tableUuid, snapshotId, location, properties, metadataLocation };
  }

  private spark({ sql, settings = {} }: Statement): readonly Record<string, unknown>[] {
    this.said.push(sql);
    const now = this.counts.get(this.head ?? '') ?? { rows: 0, matched: 0, others: '0' };
    if (sql.startsWith('SELECT count(*) AS n')) {
      const of = /VERSION AS OF (\d+)/.exec(sql)?.[1];
      const counted = of === undefined ? now : this.counts.get(of);
      const { rows, matched, others } = counted as Counted;
      return [{ n: rows, matched, others }];
    }
    if (sql.includes('.manifests')) return this.manifests.map((one) => ({ ...one }));
    if (sql.includes('.entries')) return [{ files: this.stubborn }];
    const summary = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [key.replace(SUMMARY_SETTING, ''), value]),
    );
    if (sql.startsWith('DELETE')) {
      const rows = now.rows - now.matched - this.loses;
      const others = String(Number(now.others) - this.loses);
      const carried = this.byMetadata ? {} : summary;
      this.commit('overwrite', { rows, matched: 0, others }, carried);
    }
    if (sql.startsWith('INSERT')) this.commit('append', now, summary);
    const target = /target-size-bytes' = '(\d+)'/.exec(sql)?.[1];
    if (target !== undefined) this.properties['commit.manifest.target-size-bytes'] = target;
    if (sql.includes('UNSET')) delete this.properties['commit.manifest.target-size-bytes'];
    if (sql.includes('expire_snapshots')) {
      this.snapshots = this.snapshots.filter(({ snapshotId }) => snapshotId === this.head);
    }
    if (sql.includes("'rewrite-all', 'true', 'use-starting")) this.stubborn -= 1;
    return [];
  }

  private async run(statement: Statement) {
    const rows = this.spark(statement);
    const { dies } = this;
    if (dies !== null && statement.sql.includes(dies.at)) {
      this.dies = null;
      throw dies.error;
    }
    return { rows, engineOperationId: null, reattached: false, release: async () => undefined };
  }

  private deps(): ErasureDeps {
    const subject = {
      name: 'customer',
      identifiers: [{ name: 'customer_id', type: 'bigint', links: true, trace: false }],
      tables: [
        { table: TABLE, action: 'delete', match: { customer_id: ['customer_id'] }, holds: {} },
      ],
    };
    const compiler = { ...compile, ...compileErasure };
    const run = (statement: Statement) => this.run(statement);
    return {
      catalog: { measureTable: async () => this.health(), listTables: async () => [] },
      ledger: {
        readReceipt: async () => null,
        latestReports: async () => [],
        livePins: async () => [],
        startOperation: async (one: object) => one,
        saveReceipt: async (...[, , , receipt]: unknown[]) => receipt,
      },
      privacy: async () => [{ subjects: [subject] }],
      open: () => ({ customer_id: ['42'] }),
      spark: { compiler, runner: { run, settle: async () => [] } },
      files: this.lakeFiles(),
      versions: this.store(),
      erasures: this.erasures(),
      nowMs: () => NOW_MS,
    } as unknown as ErasureDeps;
  }

  private lakeFiles() {
    return {
      version: async () => this.version(),
      reach: async () => ({
        ...this.version(),
        isNeeded: (uri: string) => this.needed.includes(uri),
      }),
      places: async () => ({ table: TABLE, places: [this.location] }),
      visit: async (_: unknown, visit: (kind: string, uri: string) => void) => {
        for (const uri of this.named) visit('data', uri);
      },
      list: async function* () {},
      head: async (uri: string) => this.latest(uri),
    };
  }

  private latest(uri: string) {
    const latest = this.objects.find((one) => one.uri === uri && one.isLatest !== false);
    if (latest === undefined || latest.isDeleteMarker === true) return null;
    return { uri, sizeBytes: 7, etag: '"e"', modifiedAtMs: NOW_MS };
  }

  private store() {
    const scene = this;
    return {
      findLock: async () => null,
      listVersions: async function* (prefix: string) {
        for (const one of scene.objects.filter(({ uri }) => uri.startsWith(prefix))) {
          yield { isLatest: true, isDeleteMarker: false, sizeBytes: 7, ...one };
        }
      },
      delete: async (targets: readonly { uri: string; versionId?: string }[]) => {
        const has = (one: StoredObject) =>
          targets.some((goal) => goal.uri === one.uri && goal.versionId === one.versionId);
        this.objects = this.objects.filter((one) => !has(one));
        return [];
      },
    };
  }

  private erasures() {
    const state = 'forgetting' as const;
    return {
      listRequests: async ({ batchId }: ErasureFilter) =>
        [BATCH, OTHER_BATCH]
          .filter((one) => batchId === undefined || batchId === one)
          .map((one) => erasureRequest({ state, batchId: one })),
      readValues: async () => ({ keyId: 'k', bytes: new Uint8Array() }),
      listTableWork: async (batchId: string) => {
        const document = batchId === BATCH ? this.progress : this.otherProgress;
        return document === null ? [] : [{ table: TABLE, step: '', document }];
      },
      saveTableWork: async ({ document }: TableWork) => {
        this.progress = document as unknown as TableProgress;
      },
      saveFiles: async (files: readonly ErasureFile[]) => {
        for (const one of files) {
          const removedAt = this.files.get(one.pathHash)?.removedAt ?? null;
          this.files.set(one.pathHash, { ...one, removedAt });
        }
      },
      listFiles: async ({ removed, after }: FileFilter) =>
        [...this.files.values()].filter(
          (one) =>
            after === undefined && (removed === undefined || (one.removedAt !== null) === removed),
        ),
      markRemoved: async (_: string, hashes: readonly string[], at: string) => {
        for (const hash of hashes) {
          const file = this.files.get(hash);
          if (file !== undefined) this.files.set(hash, { ...file, removedAt: at });
        }
      },
    };
  }
}

export function counted(rows: number, matched: number): Counted {
  return { rows, matched, others: String(rows - matched) };
}

export const DIED = new IcewrightError('EngineUnavailable', 'the worker died');
