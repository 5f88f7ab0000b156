/** What a certificate tells of sources and tables: of all tries of its request together. */
import type { RemovedFile, SourceErasure, TableErasure } from '../../domain/erasure/certificate.ts';
import type { PrivacyPolicy, Subject } from '../../domain/erasure/privacy.ts';
import type { ErasureRequest } from '../../domain/erasure/request.ts';
import type { ErasureFile } from '../erasure-ports.ts';
import type { ErasureDeps } from './deps.ts';
import { readProgress, readSources, type TableProgress } from './work.ts';

const PAGE = 5_000;

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
  table: string,
): Promise<TableErasure> {
  const { batchId, request, subject } = what;
  const mapping = subject.tables.find((one) => one.table === table);
  const last = await readProgress(deps, batchId, table);
  const { action = 'delete', because = null } = mapping ?? {};
  if (action === 'keep' || last === null) {
    return keptTable(table, action, because ?? goneOf(request, table));
  }
  const tries = await triesIn(deps, what, last.tableUuid);
  const seen = request.seen.filter(({ tableUuid }) => tableUuid === last.tableUuid);
  const sum = (of: (one: TableProgress) => number) => tries.reduce((n, one) => n + of(one), 0);
  // Rows went in the last try that met any; how the others counted is told as well.
  const told = tries.findLast(({ oracle }) => oracle.matched > 0) ?? last;
  const others = tries.filter((one) => one !== told).map(({ oracle }) => oracle);
  const rows = seen.map((one) => one.rows);
  return {
    table,
    tableUuid: last.tableUuid,
    formatVersion: last.formatVersion,
    action,
    because,
    snapshotBefore: tries[0]?.snapshotBefore ?? null,
    snapshotAfter: last.snapshotAfter,
    rowsMatched: Math.max(0, mainRows(request, table), ...rows),
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

function mainRows({ found }: ErasureRequest, table: string): number {
  const refs = found.find((one) => one.table === table)?.refs ?? [];
  return refs.find(({ name }) => name === 'main')?.rows ?? 0;
}

/** Whether it was read is told with the verification; there is no certificate without either. */
function goneOf({ seen, blockers }: ErasureRequest, table: string): string {
  const isExcepted = blockers.some((one) => one.table === table && one.exception !== null);
  if (isExcepted) return 'see what remains, and why';
  return seen.some((one) => one.table === table)
    ? 'nothing of the subject was in it, or it is gone since, with all that it had'
    : 'it does not exist, or nothing was ever in it';
}

/** Nothing was done to it: it holds nobody, or it was not there. */
function keptTable(table: string, action: TableErasure['action'], because: string): TableErasure {
  const none = { before: 0, matched: 0, after: 0, matchedAfter: 0 };
  return {
    ...{ table, tableUuid: '', formatVersion: 0, action },
    because,
    snapshotBefore: null,
    snapshotAfter: null,
    rowsMatched: 0,
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
