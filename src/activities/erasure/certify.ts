/** The end of a batch: a certificate for each request without a trace; the others fail, openly. */
import { createHash } from 'node:crypto';
import { canonicalText } from '../../domain/erasure/canonical.ts';
import type {
  Certificate,
  Remainder,
  TableErasure,
  TableVerification,
} from '../../domain/erasure/certificate.ts';
import type { ErasureRequest } from '../../domain/erasure/request.ts';
import { openBlockers } from '../../domain/erasure/transitions.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { act, isGivenUp, presence, requestsOf } from './batches.ts';
import { allSources, type Certifying, tableErasure, triesOf } from './certified.ts';
import { type ErasureDeps, subjectOf } from './deps.ts';
import { openTables } from './find.ts';
import { vanishedFrom } from './vanished.ts';
import { verificationsOf } from './verify.ts';
import { readProgress } from './work.ts';

/** What keeps one request from its end keeps no other: the first such reason is told at last. */
export async function finishBatch(deps: ErasureDeps, batchId: string): Promise<void> {
  let first: unknown = null;
  for (const request of await requestsOf(deps, batchId)) {
    try {
      if (request.state === 'verifying') await finishRequest(deps, batchId, request);
    } catch (error) {
      first ??= error;
    }
    await deps.wake(request.requestId);
  }
  if (first !== null) throw first;
}

async function finishRequest(
  deps: ErasureDeps,
  batchId: string,
  request: ErasureRequest,
): Promise<void> {
  const { requestId } = request;
  const seen = await verificationsOf(deps, batchId, requestId);
  const traced = seen.find(({ tracesFound }) => tracesFound > 0);
  if (traced !== undefined) return fail(deps, request, traced);
  const { policy, subject } = await subjectOf(deps, request.subject);
  const certifying = { batchId, request, policy, subject };
  await refuseVanished(deps, certifying);
  const gap = await findGap(deps, certifying, seen);
  if (gap !== null) return doAgain(deps, request, gap);
  const certificate = await certificateOf(deps, certifying);
  await deps.erasures.issueCertificate(certificate, 'workflow', certificate.finishedAt);
}

async function fail(
  deps: ErasureDeps,
  { requestId, forgettingAt }: ErasureRequest,
  { table, traces, tracesFound }: TableVerification,
): Promise<void> {
  const [trace] = traces;
  const message =
    `the second reader still found the subject in ${table}: file ${trace?.pathHash} ` +
    `(${trace?.kind}, ${trace?.how}, ${trace?.identifier}); ${tracesFound} traces in all`;
  const error = { code: 'InvariantBroken', message } as const;
  // No ref showed the subject, and nothing was rewritten: that takes an approval.
  const next =
    forgettingAt === null
      ? ({ kind: 'move', to: 'awaiting_approval', patch: { error, batchId: null } } as const)
      : ({ kind: 'move', to: 'failed', patch: { error } } as const);
  await act(deps, requestId, next);
}

/** It waits, and may be excepted: only a person can tell where a table has gone. */
async function refuseVanished(
  deps: ErasureDeps,
  { request, subject }: Pick<Certifying, 'request' | 'subject'>,
): Promise<void> {
  const vanished = await vanishedFrom(deps, request, subject, await openTables(deps, subject));
  const others = request.blockers.filter(({ kind }) => kind !== 'vanished');
  const patch = { blockers: [...others, ...vanished] };
  const { request: now } = await act(deps, request.requestId, { kind: 'amend', patch });
  const open = openBlockers(now).find(({ kind }) => kind === 'vanished');
  if (open === undefined) return;
  throw new IcewrightError('SafetyRefused', `${open.because}; ${open.remedy}`, {
    table: open.table,
  });
}

/** What was not done with the others is done in a batch of its own, from its beginning. */
async function doAgain(
  deps: ErasureDeps,
  { requestId, forgettingAt }: ErasureRequest,
  gap: string,
): Promise<void> {
  const error = { code: 'SafetyRefused', message: `${gap}: it is done once more` } as const;
  const to = forgettingAt === null ? 'requested' : 'forgetting';
  await act(deps, requestId, { kind: 'move', to, patch: { error, batchId: null } });
}

/** Nothing is done without proof: each table was read, and where rows went, they were counted. */
async function findGap(
  deps: ErasureDeps,
  { batchId, request, subject }: Certifying,
  seen: readonly TableVerification[],
): Promise<string | null> {
  const forgotten = request.forgettingAt !== null;
  const isThere = await presence(deps);
  for (const { table, action } of subject.tables) {
    if (action === 'keep' || isGivenUp(request, table)) continue;
    if (!(await isThere(table))) continue;
    if (!seen.some((one) => one.table === table)) {
      return `${table} was not read by the second reader`;
    }
    const progress = forgotten ? await readProgress(deps, batchId, table) : null;
    if (forgotten && !addsUp(progress?.oracle)) return `${table} was not counted to its end`;
  }
  return null;
}

function addsUp(oracle: TableErasure['oracle'] | undefined): boolean {
  return (
    oracle?.matchedAfter === 0 &&
    oracle.after === oracle.before - oracle.matched &&
    oracle.othersBefore === oracle.othersAfter
  );
}

async function certificateOf(deps: ErasureDeps, what: Certifying): Promise<Certificate> {
  const { batchId, request, policy, subject } = what;
  const { requestId, subjectHash, ground, requestedAt, requestedBy, deadlineAt } = request;
  const { approvedBy, approvedAt, approvedAccount } = request;
  const verified = await verificationsOf(deps, batchId, requestId);
  const finishedAt = new Date(deps.nowMs()).toISOString();
  const tables: TableErasure[] = [];
  for (const { table } of subject.tables) {
    tables.push(await tableErasure(deps, what, verified, table));
  }
  // One that has another name now is told of by that.
  const told = new Set(tables.flatMap((one) => [one.table, one.tableUuid]));
  for (const { table, tableUuid } of request.seen) {
    if (told.has(table) || (tableUuid !== null && told.has(tableUuid))) continue;
    told.add(table);
    tables.push(await tableErasure(deps, what, verified, table));
  }
  const sources = await allSources(deps, triesOf(what));
  const { file: _file, ...inventory } = policy;
  return {
    format: 'icewright.erasure-certificate/1',
    certificateId: `certificate-${requestId}`,
    requestId,
    subject: subject.name,
    subjectHash,
    ...{ ground, requestedAt, requestedBy, approvedBy, approvedAt, deadlineAt, finishedAt },
    ...(approvedAccount === approvedBy ? {} : { approvedAccount }),
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
