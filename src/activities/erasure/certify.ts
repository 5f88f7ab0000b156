/** The end of a batch: a certificate for each request without a trace; the others fail, openly. */
import { createHash } from 'node:crypto';
import { canonicalText } from '../../domain/erasure/canonical.ts';
import type {
  Certificate,
  Remainder,
  RemovedFile,
  SourceErasure,
  TableErasure,
  TableVerification,
} from '../../domain/erasure/certificate.ts';
import { NOT_THERE } from '../../domain/erasure/limits.ts';
import type { PrivacyPolicy, Subject } from '../../domain/erasure/privacy.ts';
import type { ErasureRequest } from '../../domain/erasure/request.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { tableFromKey } from '../../domain/table.ts';
import type { ErasureFile } from '../erasure-ports.ts';
import { act, isGivenUp, requestsOf } from './batches.ts';
import { type ErasureDeps, subjectOf } from './deps.ts';
import { verificationsOf } from './verify.ts';
import { readProgress, readSources } from './work.ts';

const PAGE = 5_000;

export async function finishBatch(deps: ErasureDeps, batchId: string): Promise<void> {
  for (const request of await requestsOf(deps, batchId)) {
    if (request.state === 'verifying') await finishRequest(deps, batchId, request);
    await deps.wake(request.requestId);
  }
}

async function finishRequest(
  deps: ErasureDeps,
  batchId: string,
  request: ErasureRequest,
): Promise<void> {
  const { requestId } = request;
  const seen = await verificationsOf(deps, batchId, requestId);
  const { policy, subject } = await subjectOf(deps, request.subject);
  const traced = seen.find(({ tracesFound }) => tracesFound > 0);
  if (traced !== undefined) {
    const [trace] = traced.traces;
    const message =
      `the second reader still found the subject in ${traced.table}: file ${trace?.pathHash} ` +
      `(${trace?.kind}, ${trace?.how}, ${trace?.identifier}); ${traced.tracesFound} traces in all`;
    const error = { code: 'InvariantBroken', message } as const;
    // No ref showed the subject, and nothing was rewritten: that takes an approval.
    const untouched = request.forgettingAt === null;
    const next = untouched
      ? ({ kind: 'move', to: 'awaiting_approval', patch: { error, batchId: null } } as const)
      : ({ kind: 'move', to: 'failed', patch: { error } } as const);
    await act(deps, requestId, next);
    return;
  }
  await refuseGaps(deps, { batchId, request, policy, subject }, seen);
  const certificate = await certificateOf(deps, { batchId, request, policy, subject });
  await deps.erasures.issueCertificate(certificate, 'workflow', certificate.finishedAt);
}

/** Nothing is done without proof: each table was read, and where rows went, they were counted. */
async function refuseGaps(
  deps: ErasureDeps,
  { batchId, request, subject }: Certifying,
  seen: readonly TableVerification[],
): Promise<void> {
  const forgotten = request.forgettingAt !== null;
  for (const { table, action } of subject.tables) {
    if (action === 'keep' || isGivenUp(request, table)) continue;
    if (!(await deps.catalog.tableExists(tableFromKey(table)))) continue;
    const progress = forgotten ? await readProgress(deps, batchId, table) : null;
    const { oracle } = progress ?? {};
    const counted =
      oracle?.matchedAfter === 0 &&
      oracle.after === oracle.before - oracle.matched &&
      oracle.othersBefore === oracle.othersAfter;
    const missing = !seen.some((one) => one.table === table)
      ? 'was not read by the second reader'
      : forgotten && !counted
        ? 'was not counted to its end'
        : null;
    if (missing === null) continue;
    throw new IcewrightError('SafetyRefused', `${table} ${missing}: no certificate`, { table });
  }
}

interface Certifying {
  readonly batchId: string;
  readonly request: ErasureRequest;
  readonly policy: PrivacyPolicy;
  readonly subject: Subject;
}

async function certificateOf(deps: ErasureDeps, what: Certifying): Promise<Certificate> {
  const { batchId, request, policy, subject } = what;
  const { requestId, subjectHash, ground, requestedAt, requestedBy, deadlineAt } = request;
  const { approvedBy, approvedAt } = request;
  const verified = await verificationsOf(deps, batchId, requestId);
  const finishedAt = new Date(deps.nowMs()).toISOString();
  const tables: TableErasure[] = [];
  for (const { table } of subject.tables) {
    const told = await tableErasure(deps, what, verified, table);
    if (told !== null) tables.push(told);
  }
  const sources: readonly SourceErasure[] = await readSources(deps, batchId);
  const { file: _file, ...inventory } = policy;
  return {
    format: 'icewright.erasure-certificate/1',
    certificateId: `certificate-${requestId}`,
    requestId,
    subject: subject.name,
    subjectHash,
    ...{ ground, requestedAt, requestedBy, approvedBy, approvedAt, deadlineAt, finishedAt },
    policyDigest: createHash('sha256').update(canonicalText(inventory)).digest('hex'),
    sources,
    tables,
    remains: remaindersOf(what, finishedAt),
    verification: {
      reader: 'icewright second reader',
      startedAt: verified.map((one) => one.startedAt).sort()[0] ?? finishedAt,
      finishedAt:
        verified
          .map((one) => one.finishedAt)
          .sort()
          .at(-1) ?? finishedAt,
      tables: verified.map((one) => withShared(one, request)),
    },
  };
}

/** Values that were left out are none that the second reader could have told of. */
function withShared(
  seen: TableVerification,
  { sharedIdentifiers }: ErasureRequest,
): TableVerification {
  const shared = sharedIdentifiers.map(
    (identifier) => ({ kind: 'shared_value', identifier, objects: 0 }) as const,
  );
  return { ...seen, limits: [...seen.limits, ...shared] };
}

async function tableErasure(
  deps: ErasureDeps,
  { batchId, request, subject }: Certifying,
  verified: readonly TableVerification[],
  table: string,
): Promise<TableErasure | null> {
  const mapping = subject.tables.find((one) => one.table === table);
  const progress = await readProgress(deps, batchId, table);
  if (mapping === undefined) return null;
  const { action, because } = mapping;
  if (action === 'keep') return untouched(table, action, because ?? '');
  if (progress === null) return untouched(table, 'none', reasonOf(request, verified, table));
  const found = request.found.find((one) => one.table === table);
  const rowsIn = (isMain: boolean) =>
    (found?.refs ?? [])
      .filter((one) => (one.name === 'main') === isMain)
      .reduce((sum, { rows }) => sum + rows, 0);
  return {
    table,
    tableUuid: progress.tableUuid,
    formatVersion: progress.formatVersion,
    action,
    because,
    snapshotBefore: progress.snapshotBefore,
    snapshotAfter: progress.snapshotAfter,
    rowsMatched: rowsIn(true),
    rowsElsewhere: rowsIn(false),
    oracle: progress.oracle,
    snapshotsExpired: progress.snapshotsExpired,
    refs: progress.refs,
    filesRemoved: await removedFiles(deps, batchId, table),
    bytesRewritten: progress.bytesRewritten,
  };
}

function reasonOf(
  request: ErasureRequest,
  verified: readonly TableVerification[],
  table: string,
): string {
  if (isGivenUp(request, table))
    return 'it cannot be read: nobody knows whether it holds the subject';
  if (verified.some((one) => one.table === table)) return 'nothing of the subject was in it';
  return NOT_THERE;
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

/** Copies outside, and what was excepted: until when, as far as that is known. */
function remaindersOf({ policy, request }: Certifying, finishedAt: string): readonly Remainder[] {
  const sinks = policy.sinks.map(
    ({ name, owner, retentionMs, note }): Remainder => ({
      where: name,
      owner,
      because: note,
      until:
        retentionMs === null ? null : new Date(Date.parse(finishedAt) + retentionMs).toISOString(),
    }),
  );
  const excepted = request.blockers.flatMap(({ table, kind, name, exception }) =>
    exception === null
      ? []
      : [
          {
            where: `${table}, ${kind} ${name}`,
            owner: exception.by,
            because: exception.because,
            until: null,
          },
        ],
  );
  return [...sinks, ...excepted];
}
