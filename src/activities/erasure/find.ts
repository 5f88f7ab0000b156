/** Requests are looked for: what is found of them stands in their rows. */
import type { Subject } from '../../domain/erasure/privacy.ts';
import type {
  Blocker,
  ErasureRequest,
  FoundInTable,
  SeenTable,
} from '../../domain/erasure/request.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { tableFromKey, tableKey } from '../../domain/table.ts';
import { measureIfThere } from '../planning/inputs.ts';
import { refBlockersOf } from './blockers.ts';
import { type ErasureDeps, subjectOf, valuesOf } from './deps.ts';
import { lookFor, type MappedTable } from './look-for.ts';
import { obstaclesOf, unreachableBlocker } from './obstacles.ts';
import { seenTables, vanishedFrom, withRows } from './vanished.ts';

/**
 * Requests that are looked for with one reading of each ref: by some hundred values files can still
 * be told apart (see `compileFind`).
 */
const TOGETHER_MAX = 100;

/** One for each process: whoever waits for its turn is mostly found with those before. */
export interface Finder {
  /**
   * What was found stands in the request, the subject's values are sealed in the ledger. An
   * approval that was given before the subject was looked for again stays: it is of the person, not
   * of the rows.
   */
  find(deps: ErasureDeps, requestId: string): Promise<void>;
}

export function createFinder(): Finder {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    find: (deps, requestId) => {
      const found = turn.then(() => findWithOthers(deps, requestId));
      turn = found.catch(() => {});
      return found;
    },
  };
}

async function findWithOthers(deps: ErasureDeps, requestId: string): Promise<void> {
  const request = await readRequest(deps, requestId);
  if (request.state !== 'requested') return;
  const waiting = await deps.erasures.listRequests({ states: ['requested'], limit: TOGETHER_MAX });
  const others = waiting.filter(
    (one) =>
      one.requestId !== requestId && one.subject === request.subject && one.pausedBy === null,
  );
  const together = [request, ...others.slice(0, TOGETHER_MAX - 1)];
  try {
    await findAll(deps, together);
  } catch (error) {
    const joinsPeople = error instanceof IcewrightError && error.code === 'PolicyInvalid';
    if (!joinsPeople || together.length === 1) throw error;
    // One of them leads to more than one person: that is no reason not to find the others.
    await findAll(deps, [request]);
  }
}

async function findAll(deps: ErasureDeps, requests: readonly ErasureRequest[]): Promise<void> {
  const looked = await look(deps, requests, { keepsKnown: false });
  for (const { request, ...patch } of looked) {
    const { requestId } = request;
    const { found, blockers } = patch;
    // Where a table cannot be looked at, nobody knows that nothing is there.
    const to = holdsRows(found) || blockers.length > 0 ? 'awaiting_approval' : 'found';
    const act = { kind: 'move', to, patch } as const;
    const at = new Date(deps.nowMs()).toISOString();
    await deps.erasures.actOn({ requestId, from: ['requested'], act, by: 'workflow', at });
  }
}

/**
 * The same for requests that go on: whatever has come since is found as well. Where no ref of any
 * table has moved, nothing has come.
 */
export async function lookAgain(
  deps: ErasureDeps,
  requests: readonly ErasureRequest[],
): Promise<void> {
  const [first] = requests;
  if (first === undefined) return;
  const { subject } = await subjectOf(deps, first.subject);
  const { tables } = await openTables(deps, subject);
  const now = tables.flatMap(({ health }) =>
    health.refs.map(({ name, snapshotId }) => `${health.table} ${name} ${snapshotId}`),
  );
  const state = now.sort().join();
  const moved = requests.filter(({ found }) => {
    const then = found.flatMap(({ table, refs }) =>
      refs.map(({ name, snapshotId }) => `${table} ${name} ${snapshotId}`),
    );
    return then.sort().join() !== state;
  });
  for (let from = 0; from < moved.length; from += TOGETHER_MAX) {
    const some = moved.slice(from, from + TOGETHER_MAX);
    const looked = await look(deps, some, { keepsKnown: true });
    for (const { request, ...patch } of looked) {
      const at = new Date(deps.nowMs()).toISOString();
      const act = { kind: 'amend', patch } as const;
      await deps.erasures.actOn({ requestId: request.requestId, act, by: 'workflow', at });
    }
  }
}

interface Looked {
  readonly request: ErasureRequest;
  readonly found: readonly FoundInTable[];
  readonly seen: readonly SeenTable[];
  readonly sharedIdentifiers: readonly string[];
  readonly blockers: readonly Blocker[];
}

/** Requests of one kind of subject, all with one reading. */
async function look(
  deps: ErasureDeps,
  requests: readonly ErasureRequest[],
  { keepsKnown }: { readonly keepsKnown: boolean },
): Promise<readonly Looked[]> {
  const [first] = requests;
  if (first === undefined) return [];
  const { subject } = await subjectOf(deps, first.subject);
  const open = await openTables(deps, subject);
  const { tables, blockers: lost } = open;
  const there = await seenTables(deps, open);
  const known = await Promise.all(requests.map(({ requestId }) => valuesOf(deps, requestId)));
  const sought = { key: first.requestId, subject, tables, known, keepsKnown };
  const people = await lookFor(deps, sought);
  const obstacles: Blocker[] = [];
  for (const { health } of tables) obstacles.push(...(await obstaclesOf(deps, health)));
  const looked: Looked[] = [];
  for (const [index, request] of requests.entries()) {
    const { values, shared, found } = people[index] as (typeof people)[number];
    await deps.erasures.saveValues(request.requestId, deps.seal(request.requestId, values));
    const refs = found.flatMap((one) => refBlockersOf(one.table, one.refs));
    const vanished = await vanishedFrom(deps, request, subject, open);
    const blockers = [...lost, ...vanished, ...refs, ...obstacles].map((one) => ({
      ...one,
      exception: exceptionOf(request, one),
    }));
    // What was left out once may be sought again, and was not in the table that was read then.
    const sharedIdentifiers = [...new Set([...request.sharedIdentifiers, ...shared])].sort();
    looked.push({ request, found, seen: withRows(there, found), sharedIdentifiers, blockers });
  }
  return looked;
}

export function exceptionOf({ blockers }: ErasureRequest, blocker: Blocker): Blocker['exception'] {
  const same = blockers.find(
    (one) => one.table === blocker.table && one.kind === blocker.kind && one.name === blocker.name,
  );
  return same?.exception ?? null;
}

export function holdsRows(found: readonly FoundInTable[]): boolean {
  return found.some(({ refs }) => refs.some((ref) => ref.rows > 0));
}

export async function readRequest(deps: ErasureDeps, requestId: string): Promise<ErasureRequest> {
  const request = await deps.erasures.readRequest(requestId);
  if (request !== null) return request;
  throw new IcewrightError('RunNotFound', `there is no erasure request ${requestId}`);
}

/** Tables that are mapped and there; a catalog that does not answer at all is an error. */
export async function openTables(
  deps: Pick<ErasureDeps, 'catalog' | 'nowMs'>,
  subject: Subject,
): Promise<{ readonly tables: readonly MappedTable[]; readonly blockers: readonly Blocker[] }> {
  const listed = new Set((await deps.catalog.listTables()).map(tableKey));
  const tables: MappedTable[] = [];
  const blockers: Blocker[] = [];
  for (const mapping of subject.tables) {
    if (mapping.action === 'keep') continue;
    const options = { nowMs: deps.nowMs(), depth: 'metadata' } as const;
    try {
      const health = await measureIfThere(deps.catalog, tableFromKey(mapping.table), options);
      if (health !== null && health.snapshotId !== null) tables.push({ mapping, health });
      // A catalog also answers "not found" for a table whose metadata file is lost.
      if (health === null && listed.has(mapping.table)) {
        blockers.push(unreachableBlocker(mapping.table, 'the catalog lists it and has lost it'));
      }
    } catch (error) {
      if (!(error instanceof IcewrightError)) throw error;
      blockers.push(unreachableBlocker(mapping.table, error.code));
    }
  }
  return { tables, blockers };
}
