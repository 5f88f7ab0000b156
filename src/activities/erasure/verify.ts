/** The second reader's turn: what it finds decides, whatever the deletion believes of itself. */
import { Context, cancellationSignal } from '@temporalio/activity';
import type { TableVerification } from '../../domain/erasure/certificate.ts';
import { tableFromKey } from '../../domain/table.ts';
import { requestsOf } from './batches.ts';
import {
  type ErasureDeps,
  type OldObject,
  subjectOf,
  type VerifyRequest,
  valuesOf,
} from './deps.ts';
import { type Exceptions, openExceptions } from './excepted.ts';
import { hashPath, listedFiles } from './file-list.ts';
import type { VerifiedTable } from './types.ts';

/** They go through the workflow's history. */
const SUSPECTS_MAX = 500;

/** Reads a table for all requests of the batch in one pass, and keeps what it saw. */
export async function verifyTable(
  deps: ErasureDeps,
  {
    batchId,
    table,
    suspects = [],
  }: {
    readonly batchId: string;
    readonly table: string;
    readonly suspects?: readonly string[];
  },
): Promise<VerifiedTable> {
  const requests = (await requestsOf(deps, batchId)).filter((one) => one.state === 'verifying');
  const [first] = requests;
  if (first === undefined) return { table, failed: [], waitingFor: null };
  const { subject } = await subjectOf(deps, first.subject);
  const context = Context.current();
  const ref = tableFromKey(table);
  const before = await deps.files.version(ref);
  const subjects: VerifyRequest['subjects'][number][] = [];
  const exceptions: Exceptions[] = [];
  for (const request of requests) {
    const { requestId } = request;
    const values = await valuesOf(deps, requestId);
    const excepted = await openExceptions(deps, request, table);
    if (excepted !== null) exceptions.push(excepted);
    subjects.push({ requestId, values, isExcepted: excepted?.isExcepted ?? null });
  }
  const verified = await deps.verifier.verify({
    table,
    subject,
    mapping: subject.tables.find((one) => one.table === table) ?? null,
    subjects,
    oldObjects: await oldObjects(deps, batchId, table),
    signal: cancellationSignal(),
    onProgress: () => context.heartbeat(),
  });
  const traced = [...verified.values()].some(({ tracesFound }) => tracesFound > 0);
  const { metadataLocation } = traced ? await deps.files.version(ref) : before;
  const stand = await Promise.all(exceptions.map((one) => one.stand()));
  const met = [...verified].flatMap(([requestId, seen]) => suspectsOf(requestId, seen));
  const isNew = !met.some((one) => suspects.includes(one));
  const isMoved = metadataLocation !== before.metadataLocation && isNew;
  if (isMoved || stand.includes(false)) {
    // A file that another batch removes meanwhile can explain no bound, and looks like a trace.
    const waitingFor = `${table} was written to while the second reader read it`;
    return { table, failed: [], waitingFor, suspects: met.slice(0, SUSPECTS_MAX) };
  }
  const failed: string[] = [];
  for (const { requestId } of requests) {
    const seen = verified.get(requestId);
    if (seen !== undefined) await saveVerification(deps, batchId, requestId, seen);
    if (seen === undefined || seen.tracesFound > 0) failed.push(requestId);
  }
  return { table, failed, waitingFor: null };
}

/** One trace: by the hash of its path, and what it is a trace of. */
function suspectsOf(requestId: string, { traces }: TableVerification): readonly string[] {
  return traces.map(({ pathHash, how, identifier }) =>
    hashPath(`${requestId} ${pathHash} ${how} ${identifier}`).slice(0, 16),
  );
}

async function oldObjects(deps: ErasureDeps, batchId: string, table: string) {
  const old: OldObject[] = [];
  for await (const { path, kind, versionIds } of listedFiles(deps, {
    batchId,
    table,
    removed: true,
  })) {
    if (path !== null) old.push({ uri: path, kind, versionIds });
  }
  return old;
}

/** Kept beside the tables' work, under the request's own name. */
async function saveVerification(
  deps: ErasureDeps,
  batchId: string,
  requestId: string,
  seen: TableVerification,
): Promise<void> {
  await deps.erasures.saveTableWork({
    batchId,
    table: verificationKey(requestId, seen.table),
    step: 'verified',
    document: { ...seen },
  });
}

function verificationKey(requestId: string, table: string): string {
  return `${table}?${requestId}`;
}

/** What was seen in each table for one request. */
export async function verificationsOf(
  deps: ErasureDeps,
  batchId: string,
  requestId: string,
): Promise<readonly TableVerification[]> {
  const works = await deps.erasures.listTableWork(batchId);
  return works
    .filter((one) => one.table.endsWith(`?${requestId}`))
    .map((one) => one.document as unknown as TableVerification);
}
