/**
 * Finds a subject: from the key that a request names along matching rows to whatever else they are
 * known by, and then counts their rows in every ref of every table that is mapped.
 */
import { activityInfo, cancellationSignal } from '@temporalio/activity';
import type { EngineRow, Statement } from '../../domain/engine.ts';
import type { Subject, SubjectValues, TableMapping } from '../../domain/erasure/privacy.ts';
import type {
  Blocker,
  ErasureRequest,
  FoundInRef,
  FoundInTable,
} from '../../domain/erasure/request.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { ERASURE_SESSION } from '../../domain/ids.ts';
import { tableFromKey, tableKey } from '../../domain/table.ts';
import { mapAtOnce } from '../at-once.ts';
import { measureIfThere } from '../planning/inputs.ts';
import { refBlockersOf } from './blockers.ts';
import { type ErasureDeps, mergeValues, subjectOf, targetOf, valuesOf } from './deps.ts';
import { obstaclesOf, unreachableBlocker } from './obstacles.ts';

/** A chain of identifiers longer than this is a fault of the policy. */
const ROUNDS_MAX = 6;
/** Statements that one request has running at a time. */
const ASKED_AT_ONCE = 4;
/** Larger answers are a fault of the policy: one person is meant. */
const VALUES_MAX = 200_000;

interface MappedTable {
  readonly mapping: TableMapping;
  readonly health: TableHealth;
}

/**
 * What was found; the subject's values are sealed in the ledger. An approval that was given before
 * the subject was looked for again stays: it is of the person, not of the rows.
 */
export async function findSubject(deps: ErasureDeps, requestId: string): Promise<void> {
  const request = await readRequest(deps, requestId);
  if (request.state !== 'requested') return;
  const { found, blockers: fresh } = await lookFor(deps, request);
  const blockers = fresh.map((one) => ({ ...one, exception: exceptionOf(request, one) }));
  const act = { kind: 'move', to: 'found', patch: { found, blockers } } as const;
  const at = new Date(deps.nowMs()).toISOString();
  await deps.erasures.actOn({ requestId, from: ['requested'], act, by: 'workflow', at });
  // Where a table cannot be looked at, nobody knows that nothing is there.
  if (!holdsRows(found) && blockers.length === 0) return;
  const next = { kind: 'move', to: 'awaiting_approval' } as const;
  await deps.erasures.actOn({ requestId, from: ['found'], act: next, by: 'workflow', at });
}

/**
 * The same for a request that goes on: whatever has come since is found as well. Where no ref of
 * any table has moved, nothing has come.
 */
export async function lookAgain(deps: ErasureDeps, request: ErasureRequest): Promise<void> {
  const { subject } = await subjectOf(deps, request.subject);
  const { tables } = await openTables(deps, subject);
  const now = tables.flatMap(({ health }) =>
    health.refs.map(({ name, snapshotId }) => `${health.table} ${name} ${snapshotId}`),
  );
  const then = request.found.flatMap(({ table, refs }) =>
    refs.map(({ name, snapshotId }) => `${table} ${name} ${snapshotId}`),
  );
  if (now.sort().join() === then.sort().join()) return;
  const { found, blockers } = await lookFor(deps, request);
  const kept = blockers.map((one) => ({ ...one, exception: exceptionOf(request, one) }));
  const at = new Date(deps.nowMs()).toISOString();
  const act = { kind: 'amend', patch: { found, blockers: kept } } as const;
  await deps.erasures.actOn({ requestId: request.requestId, act, by: 'workflow', at });
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

async function lookFor(deps: ErasureDeps, { requestId, subject: name }: ErasureRequest) {
  const { subject } = await subjectOf(deps, name);
  const { tables, blockers: lost } = await openTables(deps, subject);
  const ask = asker(deps, requestId);
  let values = await valuesOf(deps, requestId);
  values = await resolve(deps, subject, tables, values, ask);
  values = await leaveOutShared(deps, { subject, tables, values, ask });
  await deps.erasures.saveValues(requestId, deps.seal(requestId, values));
  const found: FoundInTable[] = [];
  const blockers: Blocker[] = [...lost];
  const counted = await countRefs(deps, { subject, tables, values, ask });
  for (const { health } of tables) {
    const refs = counted.get(health.table) ?? [];
    found.push({ table: health.table, refs });
    blockers.push(...refBlockersOf(health.table, refs), ...(await obstaclesOf(deps, health)));
  }
  return { found, blockers };
}

async function countRefs(
  { spark }: ErasureDeps,
  { subject, tables, values, ask }: Asking,
): Promise<ReadonlyMap<string, readonly FoundInRef[]>> {
  const wanted = tables.flatMap(({ mapping, health }) =>
    health.refs.map((ref) => ({ mapping, health, ref })),
  );
  const found = await mapAtOnce(wanted, ASKED_AT_ONCE, async ({ mapping, health, ref }) => {
    const { table, columns } = health;
    const target = targetOf(tableFromKey(table), columns, subject, mapping, values);
    const [row] = await ask(spark.compiler.compileFind(target, ref.name));
    const count = (column: string) => Number(row?.[column] ?? 0);
    const counts = { rows: count('n'), files: count('files'), bytes: count('bytes') };
    const { name, type, snapshotId } = ref;
    return { table, counted: { name, type, ...counts, snapshotId } };
  });
  const byTable = Map.groupBy(found, ({ table }) => table);
  return new Map([...byTable].map(([table, list]) => [table, list.map((one) => one.counted)]));
}

interface Asking {
  readonly subject: Subject;
  readonly tables: readonly MappedTable[];
  readonly values: SubjectValues;
  readonly ask: Ask;
}

type Ask = (statement: Statement) => Promise<readonly EngineRow[]>;

/** Reading may be repeated: each attempt asks anew. */
function asker({ spark }: ErasureDeps, requestId: string): Ask {
  let serial = 0;
  return async (statement) => {
    serial += 1;
    const key = `${requestId}/find/${activityInfo().base64TaskToken.slice(-12)}/${serial}`;
    const options = { key, session: ERASURE_SESSION, signal: cancellationSignal() };
    const { rows, release } = await spark.runner.run(statement, options);
    await release();
    return rows;
  };
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

/** Repeats until no row tells a further linking identifier. */
async function resolve(
  deps: ErasureDeps,
  subject: Subject,
  tables: readonly MappedTable[],
  first: SubjectValues,
  ask: Ask,
): Promise<SubjectValues> {
  const links = subject.identifiers.filter((one) => one.links).map((one) => one.name);
  const sizeOf = (values: SubjectValues) =>
    links.reduce((sum, name) => sum + (values[name]?.length ?? 0), 0);
  let values = first;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const before = sizeOf(values);
    const known = values;
    const statements = tables.flatMap(({ mapping, health }) => {
      const table = tableFromKey(health.table);
      const target = targetOf(table, health.columns, subject, mapping, known);
      return health.refs.flatMap(
        ({ name }) => deps.spark.compiler.compileValues(target, name) ?? [],
      );
    });
    const told = await mapAtOnce(statements, ASKED_AT_ONCE, ask);
    values = mergeValues([known, ...told.map((rows) => toldBy(rows, subject))]);
    if (sizeOf(values) > VALUES_MAX) {
      const message = `more than ${VALUES_MAX} identifiers: the mapping joins more than one person`;
      throw new IcewrightError('PolicyInvalid', message, { subject: subject.name });
    }
    if (sizeOf(values) === before) return values;
  }
  const message = `identifiers lead on and on after ${ROUNDS_MAX} rounds: look at "links"`;
  throw new IcewrightError('PolicyInvalid', message, { subject: subject.name });
}

/**
 * What somebody else's rows hold as well (a name that two people have) cannot tell whether the
 * subject is left: it is neither matched by nor looked for. The key decides of itself.
 */
async function leaveOutShared(
  { spark }: ErasureDeps,
  { subject, tables, values, ask }: Asking,
): Promise<SubjectValues> {
  const shared = new Set<string>();
  const statements = tables.flatMap(({ mapping, health }) => {
    const table = tableFromKey(health.table);
    const target = targetOf(table, health.columns, subject, mapping, values);
    return spark.compiler.compileShared(target) ?? [];
  });
  for (const rows of await mapAtOnce(statements, ASKED_AT_ONCE, ask)) {
    for (const row of rows) shared.add(`${row.identifier} ${row.value}`);
  }
  const kept = Object.entries(values).map(([name, list]) => [
    name,
    name === subject.key ? list : list.filter((value) => !shared.has(`${name} ${value}`)),
  ]);
  return Object.fromEntries(kept) as SubjectValues;
}

/** The key stays what the request names: another one in the same row is another person's. */
function toldBy(rows: readonly EngineRow[], { key }: Subject): SubjectValues {
  const told = rows.filter((row) => row.identifier !== key);
  return mergeValues(told.map((row) => ({ [String(row.identifier)]: [String(row.value)] })));
}
