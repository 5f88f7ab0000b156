/** Runs one operation of a stored plan on its engine, once, and writes its receipt. */
import { activityInfo, Context } from '@temporalio/activity';
import type { EngineRunner, Statement } from '../../domain/engine.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { operationKey, sessionOf } from '../../domain/ids.ts';
import type { Operation, RemoveOrphansOperation } from '../../domain/operation.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { operationCommitted } from '../../domain/reconcile.ts';
import { tableFromKey } from '../../domain/table.ts';
import { type ExecutionResult, endExecutions, executeInOrder } from '../execute-once.ts';
import { withFailures, withHeartbeats } from '../failure.ts';
import type { StartedOperation } from '../ledger-port.ts';
import { removeOrphans } from '../orphans/remove.ts';
import { measureIfThere } from '../planning/inputs.ts';
import { readTablePlan } from '../planning/planning.ts';
import type { EndInput, OperateInput } from '../types.ts';
import { begin } from './begin.ts';
import type { OperateDeps } from './deps.ts';
import { settle, undoneBefore } from './end.ts';
import { bytesReplaced, receiptOf, type Step } from './receipt.ts';

export function createOperateActivities(deps: OperateDeps) {
  return {
    endStatement: withFailures(({ engine, key, session, statements }: EndInput) =>
      endExecutions(deps.engines[engine].runner, key, session, statements),
    ),
    runOperation: withFailures(withHeartbeats((input: OperateInput) => runOperation(deps, input))),
  };
}

async function runOperation(deps: OperateDeps, input: OperateInput): Promise<Receipt> {
  const { runId, ordinal, planId, table } = input;
  const [written, plan, health] = await Promise.all([
    deps.ledger.readReceipt(runId, ordinal),
    readTablePlan(deps.ledger, planId, table),
    measureIfThere(deps.catalog, tableFromKey(table), measuring(deps)),
  ]);
  // Also when the worker died between the receipt and its answer: the work is done.
  if (written !== null) return written;
  const decision = plan.decisions[ordinal];
  if (decision?.operation == null || decision.engine === null) {
    throw new IcewrightError('Internal', `plan ${planId} has nothing to run at ${ordinal}`);
  }
  const step: Step = { ...input, decision, operation: decision.operation, engine: decision.engine };
  const started = await begin(deps, step, plan, health);
  const { receipt, release } =
    'error' in started ? { receipt: started } : await perform(deps, step, started);
  const kept = await deps.ledger.saveReceipt(runId, ordinal, table, receipt);
  deps.meter.operationEnded(kept, table);
  // Nobody waits for the engine to forget the result.
  void release?.();
  return kept;
}

interface Performed {
  readonly receipt: Receipt;
  /** Lets the engine forget the result; to be called when the receipt is written. */
  readonly release?: () => Promise<void>;
}

async function perform(
  deps: OperateDeps,
  step: Step,
  started: StartedOperation,
): Promise<Performed> {
  if (step.operation.kind === 'remove_orphans') return performRemoval(deps, step, started);
  const { runner, compiler } = deps.engines[step.engine];
  const compiled = compiler.compileOperation(tableFromKey(step.table), step.operation);
  if ('refused' in compiled) {
    const health = await measure(deps, step.table);
    const error = { code: 'OperationUnsupported', message: compiled.refused } as const;
    const told = { status: 'refused', error } as const;
    return { receipt: receiptOf(step, started, health, deps.nowMs(), told) };
  }
  const now = () => measure(deps, step.table);
  const undone = activityInfo().attempt > 1 ? undoneBefore(step, started, await now()) : null;
  if (undone !== null) {
    return { receipt: receiptOf(step, started, undone.health, deps.nowMs(), undone.told) };
  }
  try {
    const result = await executeAll(deps, step, started, runner, compiled);
    // An execution found by its commit has no rows: then the snapshots' summaries tell.
    const told = result.rows.length > 0 ? compiler.readOutcome(step.operation, result.rows) : null;
    const settled = await settle(deps, step, started, now);
    const receipt = receiptOf(step, started, settled.health, deps.nowMs(), {
      bytesRewritten: told?.bytesRewritten ?? bytesReplaced(started, settled.health),
      filesRemoved: told?.filesRemoved ?? 0,
      engineOperationId: result.engineOperationId,
      reattached: result.reattached,
      ...settled.told,
      notes: [...lostNotes(step.operation, result), ...settled.told.notes],
    });
    return { receipt, release: result.release };
  } catch (error) {
    if (!isDefinitive(error)) throw error;
    const health = await measureIfThere(deps.catalog, tableFromKey(step.table), measuring(deps));
    const { code, message, details } = error;
    const engineOperationId = String(details.operationId ?? details.queryId ?? '') || null;
    const told = { status: 'failed', error: { code, message }, engineOperationId } as const;
    return { receipt: receiptOf(step, started, health, deps.nowMs(), told) };
  }
}

/** How it came to be known what an execution did whose answer never came. */
function lostNotes(operation: Operation, { lost }: ExecutionResult): readonly string[] {
  if (lost === undefined) return [];
  const note = `the answer was lost (${lost}), but the commit was found in the table`;
  if (operation.kind !== 'expire_snapshots') return [note];
  return [note, 'files of the expired snapshots may be left: the removal of orphans finds them'];
}

/** Deletes by exact list past the engine, which is only asked: it commits nothing. */
async function performRemoval(
  deps: OperateDeps,
  step: Step,
  started: StartedOperation,
): Promise<Performed> {
  const context = Context.current();
  const { info, cancellationSignal: signal } = context;
  const isCancelled = () => context.cancellationDetails?.cancelRequested === true;
  const operation = step.operation as RemoveOrphansOperation;
  const removal = { ...step, operation, attempt: info.attempt, signal, isCancelled };
  const told = await removeOrphans(deps, removal);
  const health = await measure(deps, step.table);
  return { receipt: receiptOf(step, started, health, deps.nowMs(), told) };
}

/** Statements in order; the last one's rows tell the outcome. */
function executeAll(
  deps: OperateDeps,
  step: Step,
  started: StartedOperation,
  runner: EngineRunner,
  statements: readonly Statement[],
): Promise<ExecutionResult> {
  const session = sessionOf(step.operation);
  const hasCommitted = async () =>
    operationCommitted(step.operation, started.before, await measure(deps, step.table));
  return executeInOrder(
    statements.map((statement, index) => {
      // The last statement's identity is what `endStatement` is given.
      const key = operationKey(step.runId, step.ordinal, statements.length - 1 - index);
      return { runner, statement, key, session, hasCommitted };
    }),
  );
}

function measure(deps: OperateDeps, table: string): Promise<TableHealth> {
  return deps.catalog.measureTable(tableFromKey(table), measuring(deps));
}

function measuring(deps: OperateDeps) {
  return { nowMs: deps.nowMs(), depth: 'metadata' } as const;
}

/** The engine has answered, and the same statement would get the same answer again. */
function isDefinitive(error: unknown): error is IcewrightError {
  return (
    error instanceof IcewrightError &&
    ['EngineRejected', 'TableNotFound', 'CommitConflict', 'CredentialsRejected'].includes(
      error.code,
    )
  );
}
