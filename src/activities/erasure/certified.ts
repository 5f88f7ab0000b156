/** What a certificate tells of sources and tables: of all tries of its request together. */
import type {
  RemovedFile,
  SourceErasure,
  TableErasure,
  TableVerification,
} from '../../domain/erasure/certificate.ts';
import { GONE_SINCE, NOT_THERE } from '../../domain/erasure/limits.ts';
import type { PrivacyPolicy, Subject } from '../../domain/erasure/privacy.ts';
import type { ErasureRequest, SeenTable } from '../../domain/erasure/request.ts';
import type { ErasureFile } from '../erasure-ports.ts';
import { isGivenUp } from './batches.ts';
import type { ErasureDeps } from './deps.ts';
import { readProgress, readSources, type TableProgress } from './work.ts';

const PAGE = 5_000;
const UNREAD = 'it cannot be read: nobody knows whether it holds the subject';

/** A request that comes to its end with a batch. */
export interface Certifying {
  readonly batchId: string;
  readonly request: ErasureRequest;
  readonly policy: PrivacyPolicy;
  readonly subject: Subject;
}

/** Batches of a request in their order; the one that ends it is the last. */
export function triesOf({ batchId, request }: Certifying): readonly string[] {
  return [...request.batches.filter((one) => one !== batchId), batchId];
}

export async function allSources(
  deps: ErasureDeps,
  batchIds: readonly string[],
): Promise<readonly SourceErasure[]> {
  const sources = new Map<string, SourceErasure>();
  for (const batchId of batchIds) {
    for (const one of await readSources(deps, batchId)) {
      const rowsRemoved = one.rowsRemoved + (sources.get(one.name)?.rowsRemoved ?? 0);
      sources.set(one.name, { ...one, rowsRemoved });
    }
  }
  return [...sources.values()];
}

export async function tableErasure(
  deps: ErasureDeps,
  what: Certifying,
  verified: readonly TableVerification[],
  table: string,
): Promise<TableErasure> {
  const { batchId, request, subject } = what;
  const mapping = subject.tables.find((one) => one.table === table);
  const last = await readProgress(deps, batchId, table);
  const { action = 'delete', because = null } = mapping ?? {};
  if (action === 'keep') return untouched(table, action, because ?? '');
  if (last === null) return untouched(table, 'none', reasonOf(request, verified, table));
  const tries = await triesIn(deps, what, last.tableUuid);
  const seen = request.seen.filter(({ tableUuid }) => tableUuid === last.tableUuid);
  const sum = (of: (one: TableProgress) => number) => tries.reduce((n, one) => n + of(one), 0);
  // Rows went in the last try that met any; how the others counted is told as well.
  const told = tries.findLast(({ oracle }) => oracle.matched > 0) ?? last;
  const others = tries.filter((one) => one !== told).map(({ oracle }) => oracle);
  const most = (of: (one: SeenTable) => number) => Math.max(0, ...seen.map(of));
  return {
    table,
    tableUuid: last.tableUuid,
    formatVersion: last.formatVersion,
    action,
    because,
    snapshotBefore: tries[0]?.snapshotBefore ?? null,
    snapshotAfter: last.snapshotAfter,
    rowsMatched: Math.max(
      rowsIn(request, table, true),
      most((one) => one.rows),
    ),
    rowsElsewhere: Math.max(
      rowsIn(request, table, false),
      most((one) => one.rowsElsewhere),
    ),
    oracle: told.oracle,
    ...(others.length === 0 ? {} : { otherTries: others }),
    snapshotsExpired: sum((one) => one.snapshotsExpired),
    refs: last.refs,
    filesRemoved: await removedFiles(deps, batchId, table),
    bytesRewritten: sum((one) => one.bytesRewritten),
  };
}

/** What each try did to one table, whatever it was called then. */
async function triesIn(
  deps: ErasureDeps,
  what: Certifying,
  tableUuid: string,
): Promise<readonly TableProgress[]> {
  const works = await Promise.all(triesOf(what).map((one) => deps.erasures.listTableWork(one)));
  return works
    .flat()
    .map(({ document }) => document as unknown as TableProgress)
    .filter((one) => one.tableUuid === tableUuid);
}

/** In main, or in all other refs. */
function rowsIn({ found }: ErasureRequest, table: string, isMain: boolean): number {
  const refs = found.find((one) => one.table === table)?.refs ?? [];
  return refs
    .filter(({ name }) => (name === 'main') === isMain)
    .reduce((sum, { rows }) => sum + rows, 0);
}

function reasonOf(
  request: ErasureRequest,
  verified: readonly TableVerification[],
  table: string,
): string {
  const { seen, blockers } = request;
  if (isGivenUp(request, table)) return UNREAD;
  if (blockers.some((one) => one.table === table && one.exception !== null)) {
    return 'see what remains, and why';
  }
  if (verified.some((one) => one.table === table)) return 'nothing of the subject was in it';
  return seen.some((one) => one.table === table) ? GONE_SINCE : NOT_THERE;
}

/** Nothing was done to it. */
function untouched(table: string, action: 'keep' | 'none', because: string): TableErasure {
  const none = { before: 0, matched: 0, after: 0, matchedAfter: 0 };
  return {
    ...{ table, tableUuid: '', formatVersion: 0, action },
    because,
    snapshotBefore: null,
    snapshotAfter: null,
    rowsMatched: 0,
    rowsElsewhere: 0,
    oracle: { ...none, othersBefore: '0', othersAfter: '0' },
    snapshotsExpired: 0,
    refs: [],
    filesRemoved: [],
    bytesRewritten: 0,
  };
}

async function removedFiles(
  deps: ErasureDeps,
  batchId: string,
  table: string,
): Promise<readonly RemovedFile[]> {
  const files: RemovedFile[] = [];
  let after: string | undefined;
  for (;;) {
    const more = after === undefined ? {} : { after };
    const filter = { batchId, table, removed: true, limit: PAGE, ...more };
    const page: readonly ErasureFile[] = await deps.erasures.listFiles(filter);
    for (const { pathHash, kind, bytes, etag, versionIds } of page) {
      files.push({ pathHash, kind, bytes, etag, versions: versionIds.length });
    }
    if (page.length < PAGE) return files;
    after = page.at(-1)?.pathHash;
  }
}
