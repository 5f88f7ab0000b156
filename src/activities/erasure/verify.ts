/** The second reader's turn: what it finds decides, whatever the deletion believes of itself. */
import { Context, cancellationSignal } from '@temporalio/activity';
import type { TableVerification, Trace } from '../../domain/erasure/certificate.ts';
import type { ErasureRequest } from '../../domain/erasure/request.ts';
import { requestsOf } from './batches.ts';
import { type ErasureDeps, type OldObject, subjectOf, valuesOf } from './deps.ts';
import type { VerifiedTable } from './types.ts';

const PAGE = 5_000;

/** Reads a table for all requests of the batch in one pass, and keeps what it saw. */
export async function verifyTable(
  deps: ErasureDeps,
  { batchId, table }: { readonly batchId: string; readonly table: string },
): Promise<VerifiedTable> {
  const requests = (await requestsOf(deps, batchId)).filter((one) => one.state === 'verifying');
  const [first] = requests;
  if (first === undefined) return { table, failed: [], waitingFor: null };
  const { subject } = await subjectOf(deps, first.subject);
  const context = Context.current();
  const verified = await deps.verifier.verify({
    table,
    subject,
    mapping: subject.tables.find((one) => one.table === table) ?? null,
    subjects: await Promise.all(
      requests.map(async ({ requestId }) => ({
        requestId,
        values: await valuesOf(deps, requestId),
      })),
    ),
    oldObjects: await oldObjects(deps, batchId, table),
    signal: cancellationSignal(),
    onProgress: () => context.heartbeat(),
  });
  const told = requests.map((request) => ({ request, seen: verified.get(request.requestId) }));
  for (const { request, seen } of told) {
    if (seen !== undefined) await saveVerification(deps, batchId, request.requestId, seen);
  }
  const failed = told.flatMap(({ request, seen }) =>
    seen === undefined || openTraces(request, seen).length > 0 ? [request.requestId] : [],
  );
  return { table, failed, waitingFor: null };
}

async function oldObjects(deps: ErasureDeps, batchId: string, table: string) {
  const old: OldObject[] = [];
  let after: string | undefined;
  for (;;) {
    const more = after === undefined ? {} : { after };
    const page = await deps.erasures.listFiles({
      batchId,
      table,
      removed: true,
      limit: PAGE,
      ...more,
    });
    for (const { path, kind, versionIds } of page) {
      if (path !== null) old.push({ uri: path, kind, versionIds });
    }
    if (page.length < PAGE) return old;
    after = page.at(-1)?.pathHash;
  }
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

/** Traces that no exception speaks for: refs that a person said must stay reach their files. */
export function openTraces(request: ErasureRequest, seen: TableVerification): readonly Trace[] {
  const excepted = request.blockers.some(
    (one) => one.table === seen.table && one.exception !== null,
  );
  return excepted ? [] : seen.traces;
}
