/** Refs beside main that still reach files which are to go. */
import type { TableVerification } from '../../domain/erasure/certificate.ts';
import { type Blocker, type ErasureRequest, keepsFiles } from '../../domain/erasure/request.ts';
import { openBlockers } from '../../domain/erasure/transitions.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { act, requestsOf } from './batches.ts';
import { refBlocker } from './blockers.ts';
import { type ErasureDeps, subjectOf } from './deps.ts';
import { lookAgain, openTables } from './find.ts';
import { obstaclesOf } from './obstacles.ts';
import { forgetSources, ingestionsUnderWay } from './sources.ts';
import { vanishedFrom } from './vanished.ts';
import type { TableProgress } from './work.ts';

/** Each brings what the source did not tell the time before. */
const ROUNDS_MAX = 3;

/**
 * Looks again until the sources, asked once more, tell nothing new. Rejects while what was read at
 * a source before it forgot may still be written.
 */
export async function lookAgainAll(deps: ErasureDeps, batchId: string): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const busy = await ingestionsUnderWay(deps, batchId);
    if (busy.length > 0) {
      const message = `${busy.join(', ')} is being ingested into, from before the source forgot`;
      throw new IcewrightError('TableBusy', message, { tables: busy });
    }
    const requests = (await requestsOf(deps, batchId)).filter((one) => one.state === 'forgetting');
    await lookAgain(deps, requests);
    // By what the lake has told, and whatever the source has taken in meanwhile.
    const hasNews = await forgetSources(deps, batchId);
    if (!hasNews) return;
  }
  throw new IcewrightError(
    'TableBusy',
    'each time that it is asked, a source tells more identifiers of the subject: does it still ' +
      'take in rows of theirs?',
  );
}

/**
 * After main is rewritten, a ref that does not descend from what the erasure left holds files of
 * before: whether or not a row of it still shows the subject, its files may. Rejects where nothing
 * but a table that has got out of sight is in the way.
 */
export async function findBlocked(deps: ErasureDeps, batchId: string): Promise<readonly string[]> {
  const requests = (await requestsOf(deps, batchId)).filter((one) => one.state === 'forgetting');
  const blocked = new Set<string>();
  const vanished = new Set<string>();
  for (const request of requests) {
    const { subject } = await subjectOf(deps, request.subject);
    const open = await openTables(deps, subject);
    const gone = await vanishedFrom(deps, request, subject, open);
    const held = await heldTables(deps, request);
    const blockers: Blocker[] = [...request.blockers.filter(stays), ...gone, ...open.blockers];
    for (const { health } of open.tables) {
      const forbidden = request.blockers.some((one) => one.table === health.table && isOpen(one));
      if (forbidden) blockers.push(...(await obstaclesOf(deps, health)));
      if (!held.has(health.table)) continue;
      blockers.push(...holdingRefs(health, held.clean(health.table)));
    }
    const { request: now } = await act(deps, request.requestId, {
      kind: 'amend',
      patch: { blockers },
    });
    for (const { kind, table } of openBlockers(now)) {
      (kind === 'vanished' ? vanished : blocked).add(table);
    }
  }
  if (blocked.size === 0 && vanished.size > 0) {
    const message = `${[...vanished].sort().join(', ')} got out of sight: see the request's blockers`;
    throw new IcewrightError('SafetyRefused', message);
  }
  return [...blocked].sort();
}

/** What somebody has taken on themselves; the rest is looked for anew. */
function stays({ kind, exception }: Blocker): boolean {
  return exception !== null && keepsFiles(kind) && kind !== 'unreachable';
}

/** It forbids what is still to be done, unless it is settled by now. */
function isOpen({ kind, exception }: Blocker): boolean {
  return exception === null && keepsFiles(kind);
}

interface Held {
  has(table: string): boolean;
  /** Heads that an erasure of this subject left when it had counted. */
  clean(table: string): readonly string[];
}

/**
 * Tables that showed the subject: to finding, to deleting or to the second reader, in this try or
 * an earlier one. Where none did, and it is forgotten all the same, it may be any of them.
 */
async function heldTables(deps: ErasureDeps, request: ErasureRequest): Promise<Held> {
  const { requestId, found, seen, batchId, batches } = request;
  const showed = found.filter(({ refs }) => refs.some(({ rows }) => rows > 0));
  const held = new Set(showed.map(({ table }) => table));
  for (const { table, rows } of seen) if (rows > 0) held.add(table);
  const clean = new Map<string, string[]>();
  for (const id of new Set([...batches, ...(batchId === null ? [] : [batchId])])) {
    for (const { table: key, document } of await deps.erasures.listTableWork(id)) {
      const {
        matched,
        clean: heads,
        tracesFound,
      } = document as Partial<TableProgress> & Partial<TableVerification>;
      const [table = key, of] = key.split('?');
      if (of === undefined && (matched ?? 0) > 0) held.add(table);
      if (of === requestId && (tracesFound ?? 0) > 0) held.add(table);
      if (of === undefined) clean.set(table, [...(clean.get(table) ?? []), ...(heads ?? [])]);
    }
  }
  return {
    has: (table) => held.size === 0 || held.has(table),
    clean: (table) => clean.get(table) ?? [],
  };
}

function holdingRefs(health: TableHealth, clean: readonly string[]): readonly Blocker[] {
  return health.refs
    .filter(({ name, snapshotId }) => name !== 'main' && !descends(health, snapshotId, clean))
    .map(({ type, name }) => refBlocker(health.table, type, name, null));
}

/** A parent that is expired is still known by its id. */
function descends(
  { snapshots }: TableHealth,
  snapshotId: string,
  clean: readonly string[],
): boolean {
  const parents = new Map(snapshots.map((one) => [one.snapshotId, one.parentSnapshotId]));
  const seen = new Set<string>();
  for (let at: string | null | undefined = snapshotId; at != null && !seen.has(at); ) {
    if (clean.includes(at)) return true;
    seen.add(at);
    at = parents.get(at);
  }
  return false;
}
