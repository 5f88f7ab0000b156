/**
 * The oracle of counts. Every run of our own commits is compared with the snapshot right before it,
 * while that is still there: what others write in between neither hides a loss nor looks like one.
 */
import {
  addRun,
  type CountBase,
  type Counted,
  compareRun,
  isCounted,
} from '../../domain/erasure/count-oracle.ts';
import { ownRuns } from '../../domain/erasure/own-commits.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { InvariantCheck } from '../../domain/receipt.ts';
import { lineSince } from '../../domain/table-facts.ts';
import { ask } from './run-statement.ts';
import { measureTable, type StepContext, type StepResult } from './step-context.ts';
import type { TableProgress } from './work.ts';

/** Of the current schema. */
export function columnNames({ health }: Pick<StepContext, 'health'>): readonly string[] {
  return health.columns.map(({ name }) => name);
}

/**
 * Counts one snapshot: the head as it is read now, where nobody writes meanwhile, and else by its
 * id. A snapshot that is asked for by its id has the columns that it had then.
 */
export async function countAt(
  context: StepContext,
  snapshotId: string | null,
  columns: readonly string[],
): Promise<Counted> {
  const { deps, table } = context;
  const isHead = async () => (await measureTable(deps, table)).snapshotId === snapshotId;
  if (await isHead()) {
    const counted = await countOnce(context, snapshotId, columns, 'now');
    if (await isHead()) return counted;
  }
  if (snapshotId !== null) return countOnce(context, snapshotId, columns, 'then');
  const message = `${table} was written to while its rows were counted`;
  throw new IcewrightError('TableBusy', message, { table });
}

async function countOnce(
  context: StepContext,
  snapshotId: string | null,
  columns: readonly string[],
  as: 'now' | 'then',
): Promise<Counted> {
  const { deps, target } = context;
  const of = as === 'now' ? null : snapshotId;
  const statement = deps.spark.compiler.compileOracle(target, columns, of);
  const [row] = await ask(context, statement, `${snapshotId}/${as}`);
  if (row === undefined) throw new IcewrightError('Internal', 'a count without an answer');
  return { rows: Number(row.n), matched: Number(row.matched), others: String(row.others) };
}

/**
 * Fails with `InvariantBroken` where rows of others changed, or where it cannot be told; rejects
 * with `TableBusy` where somebody wrote rows of the subjects meanwhile.
 */
export async function countAgain(
  context: StepContext,
  progress: TableProgress,
): Promise<StepResult> {
  const { health, batchId, table } = context;
  const { base } = progress;
  if (base === undefined) throw new IcewrightError('Internal', `${table} was not counted before`);
  const line = lineSince(health, base.snapshotId);
  if (line === null) return unproven(context, progress, [], baseGone(base));
  const columns = base.columns.filter((one) => columnNames(context).includes(one));
  const count = counterOf(context, base, columns);
  const invariants: InvariantCheck[] = [];
  let { oracle, matched } = progress;
  let before = base.snapshotId;
  const runs = ownRuns([...line].reverse(), batchId);
  for (const own of runs) {
    const [was, is] = [await count(own.from), await count(own.to)];
    const found = compareRun(own, was, is);
    if (invariants.every(({ ok }) => ok)) before = own.from;
    invariants.push(...found);
    oracle = addRun(oracle, own, was, is);
    matched += own.deletes ? was.matched : 0;
  }
  const broken = invariants.filter((one) => !one.ok);
  if (broken.length > 0) {
    const because = broken.map((one) => `${one.name} ${one.detail}`).join('; ');
    const mend = `; snapshot ${before} is from before it: roll back to it, then erase retry`;
    return unproven(context, progress, invariants, `${because}${mend}`);
  }
  const head = await count(health.snapshotId);
  if (head.matched > 0) {
    const message = `${head.matched} rows of the subjects were written into ${table} meanwhile`;
    throw new IcewrightError('TableBusy', message, { table });
  }
  if (base.matched > 0 && !runs.some(({ deletes }) => deletes)) {
    return unproven(context, progress, invariants, UNTOLD);
  }
  if (!isCounted(oracle)) oracle = addRun(oracle, { deletes: false }, head, head);
  const proven = { ...head, snapshotId: health.snapshotId, columns };
  const clean = [...(progress.clean ?? []), health.snapshotId].filter((one) => one !== null);
  const next = { ...progress, oracle, matched, clean, base: proven, unproven: false };
  return {
    progress: { ...next, snapshotAfter: health.snapshotId },
    receipt: { status: 'done', invariants },
  };
}

/** Each snapshot once; what the survey counted holds as long as its columns are there. */
function counterOf(context: StepContext, base: CountBase, columns: readonly string[]) {
  const known = new Map<string | null, Counted>();
  if (columns.length === base.columns.length) known.set(base.snapshotId, base);
  return async (snapshotId: string | null): Promise<Counted> => {
    const counted = known.get(snapshotId) ?? (await countAt(context, snapshotId, columns));
    known.set(snapshotId, counted);
    return counted;
  };
}

/** Said where the subject's rows went and nothing shows that we removed them, and them alone. */
export const UNTOLD = 'rows were deleted by a commit that cannot be told from one of others';

/** Said where our commits can be compared with nothing any more. */
export function baseGone({ snapshotId }: CountBase): string {
  return `snapshot ${snapshotId}, from which it was counted, is no ancestor of the head any more`;
}

/** Nothing is taken back, and nothing of the table is removed: people decide. */
export function unproven(
  { table }: StepContext,
  progress: TableProgress,
  invariants: readonly InvariantCheck[],
  because: string,
): StepResult {
  const error = { code: 'InvariantBroken', message: `${table}: ${because}` } as const;
  return { progress, receipt: { status: 'failed', invariants, error } };
}
