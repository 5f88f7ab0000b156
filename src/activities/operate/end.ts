/**
 * After an operation: the invariants, and what is done about a broken one. While ours is the head,
 * main goes back to what it was; else a person is called. Either way the receipt says so, and the
 * breaker opens.
 */
import { Context } from '@temporalio/activity';
import { IcewrightError } from '../../domain/errors.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { operationKey } from '../../domain/ids.ts';
import {
  abandonedCommit,
  checkInvariants,
  commitsSince,
  type FilesFound,
  type InvariantInput,
  othersNote,
  rollbackTarget,
  snapshotsToCount,
} from '../../domain/invariants.ts';
import type { InvariantCheck, Receipt } from '../../domain/receipt.ts';
import { tableFromKey } from '../../domain/table.ts';
import type { StartedOperation } from '../ledger-port.ts';
import type { OperateDeps } from './deps.ts';
import { type Step, statusOf } from './receipt.ts';

export interface Settled {
  readonly told: Pick<Receipt, 'status' | 'error' | 'invariants' | 'rolledBackTo'> & {
    readonly notes: readonly string[];
  };
  /** As the table is in the end. */
  readonly health: TableHealth;
}

/** @param measure the table as it is now; asked again after a rollback */
export async function settle(
  deps: OperateDeps,
  step: Step,
  started: StartedOperation,
  measure: () => Promise<TableHealth>,
): Promise<Settled> {
  const after = await measure();
  const input = await gather(deps, step, started, after);
  const invariants = checkInvariants(input);
  const notes = othersNote(commitsSince(step.operation, started.before, after));
  const broken = invariants.filter((one) => !one.ok);
  if (broken.length === 0) {
    const status = statusOf(step.operation, started, after);
    return { told: { status, error: null, invariants, notes }, health: after };
  }
  const undone = await undo(deps, step, input, invariants);
  const what = broken.map((one) => `${one.name}: ${one.detail}`).join('; ');
  const message = `${step.table} is not as it must be: ${what}; ${undone.because}`;
  const told = {
    status: 'failed',
    error: { code: 'InvariantBroken', message },
    invariants,
    notes,
    ...(undone.to === null ? {} : { rolledBackTo: undone.to }),
  } as const;
  return { told, health: undone.to === null ? after : await measure() };
}

/**
 * What an earlier attempt told nobody: it had rolled its own commit back, and died before the
 * receipt was written. Doing the operation again would only do the damage again.
 */
export function undoneBefore(
  step: Step,
  { before, startedAt }: StartedOperation,
  health: TableHealth,
): Settled | null {
  const left = abandonedCommit(step.operation, before, health, Date.parse(startedAt));
  if (left === null || health.snapshotId === null) return null;
  const message =
    `${step.table} was not as it must be after snapshot ${left.snapshotId}: main was rolled back ` +
    `to ${health.snapshotId} by an attempt that died before it could say more`;
  const error = { code: 'InvariantBroken', message } as const;
  const rolledBackTo = health.snapshotId;
  return { told: { status: 'failed', error, invariants: [], rolledBackTo, notes: [] }, health };
}

/** Rows and files as they are found; neither changes anything. */
async function gather(
  deps: OperateDeps,
  step: Step,
  { before }: StartedOperation,
  after: TableHealth,
): Promise<InvariantInput> {
  const { operation } = step;
  const commits = commitsSince(operation, before, after);
  const [counted, files] = await Promise.all([
    countRows(deps, step, snapshotsToCount(commits), after.records),
    lookAtFiles(deps, step, after, commits.ours.length),
  ]);
  return { operation, before, after, counted, ...(files === null ? {} : { files }) };
}

/** Where files were taken away, all; where some were written, those of the head. */
function lookAtFiles(deps: OperateDeps, step: Step, after: TableHealth, commits: number) {
  if (step.operation.kind === 'expire_snapshots') return findFiles(deps, step.table);
  if (commits === 0 || after.snapshotId === null) return null;
  return findFiles(deps, step.table, after.snapshotId);
}

/** Above this, bounds must do: counting reads every delete file, and the rows they point into. */
const COUNTED_ROWS_MAX = 100_000_000;

async function countRows(
  deps: OperateDeps,
  step: Step,
  snapshotIds: readonly string[],
  records: number,
): Promise<ReadonlyMap<string, number>> {
  const counted = new Map<string, number>();
  if (records > COUNTED_ROWS_MAX) return counted;
  const { runner, compiler } = deps.engines[step.engine];
  for (const snapshotId of snapshotIds) {
    try {
      const statement = compiler.compileRowCount(tableFromKey(step.table), snapshotId);
      const result = await runner.run(statement, {
        key: `${operationKey(step.runId, step.ordinal)}/rows/${snapshotId}`,
        session: COUNT_SESSION,
        signal: Context.current().cancellationSignal,
      });
      counted.set(snapshotId, Number(result.rows[0]?.rows));
      void result.release();
    } catch (error) {
      // A count that cannot be had proves nothing: a missing file is for the next check to find.
      if (!(error instanceof IcewrightError)) throw error;
      // A cancelled run still owes the receipt of what it has committed.
      if (error.code === 'Cancelled' && !isCancelled()) throw stopping();
    }
  }
  return counted;
}

function isCancelled(): boolean {
  return Context.current().cancellationDetails?.cancelRequested === true;
}

function stopping(): IcewrightError {
  return new IcewrightError('EngineUnavailable', 'the worker stops: another one goes on');
}

/** Not the session of the operation: its settings differ, and statements would wait for it. */
const COUNT_SESSION = 'count';

async function findFiles(
  deps: OperateDeps,
  table: string,
  snapshotId?: string,
): Promise<FilesFound> {
  try {
    const found = await deps.files.check(tableFromKey(table), snapshotId);
    const missing = found.missing.map((one) => one.uri);
    return { checked: found.checked, missing, missingCount: found.missingCount };
  } catch (error) {
    if (!(error instanceof IcewrightError) || error.code !== 'SafetyRefused') throw error;
    const nothing = { checked: 0, missing: [], missingCount: 0 };
    const { cause } = error;
    const damaged = cause instanceof IcewrightError && cause.code === 'InvariantBroken';
    return damaged
      ? { ...nothing, damaged: cause.message }
      : { ...nothing, unknown: error.message };
  }
}

interface Undone {
  /** `null`: main stays where it is. */
  readonly to: string | null;
  readonly because: string;
}

async function undo(
  deps: OperateDeps,
  step: Step,
  input: InvariantInput,
  invariants: readonly InvariantCheck[],
): Promise<Undone> {
  const target = rollbackTarget(input, invariants);
  if (target === null) {
    return { to: null, because: 'no rollback cures that, or it would undo others: look at it now' };
  }
  const whole = await findFiles(deps, step.table, target.to);
  if (whole.missingCount > 0 || whole.damaged !== undefined) {
    const because = `snapshot ${target.to}, before it, is not whole either: look at it now`;
    return { to: null, because };
  }
  const move = { tableUuid: input.after.tableUuid, ...target };
  if (await deps.catalog.rollBack(tableFromKey(step.table), move)) {
    return { to: target.to, because: `main was rolled back to ${target.to}` };
  }
  const because = 'main moved before it could be rolled back: look at it now';
  return { to: null, because };
}
