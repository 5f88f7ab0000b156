/** Runs one operation of a stored plan on its engine, once, and writes its receipt. */
import { activityInfo, Context } from '@temporalio/activity';
import { hasChanged } from '../domain/effect.ts';
import type { EngineName, EngineRunner, Statement } from '../domain/engine.ts';
import { IcewrightError } from '../domain/errors.ts';
import type { TableHealth } from '../domain/health/health.ts';
import { MAINTENANCE_SESSION, operationKey } from '../domain/ids.ts';
import type {
  Decision,
  InvariantCheck,
  Operation,
  PlannedReceipt,
  Receipt,
  RemoveOrphansOperation,
  TablePlan,
} from '../domain/operation.ts';
import { neededByNow } from '../domain/planner/expiry.ts';
import {
  beforeOf,
  checkInvariants,
  operationCommitted,
  snapshotsSince,
} from '../domain/reconcile.ts';
import { tableFromKey } from '../domain/table.ts';
import { type ExecutionResult, endExecutions, executeOnce } from './execute-once.ts';
import { withFailures, withHeartbeats } from './failure.ts';
import { removeOrphans } from './orphans.ts';
import { readConsumers, readTablePlan } from './planning.ts';
import type { Catalog, Compiler, Ledger, Meter, Project, StartedOperation } from './ports.ts';
import type { TableFiles } from './table-files.ts';
import type { EndInput, OperateInput } from './types.ts';

export interface OperateDeps {
  readonly catalog: Catalog;
  readonly files: TableFiles;
  readonly ledger: Ledger;
  readonly project: Project;
  readonly meter: Meter;
  readonly engines: Readonly<Record<EngineName, { runner: EngineRunner; compiler: Compiler }>>;
  readonly nowMs: () => number;
}

export function createOperateActivities(deps: OperateDeps) {
  return {
    endStatement: withFailures(({ engine, key, session }: EndInput) =>
      endExecutions(deps.engines[engine].runner, key, session),
    ),
    runOperation: withFailures(withHeartbeats((input: OperateInput) => runOperation(deps, input))),
  };
}

async function runOperation(deps: OperateDeps, input: OperateInput): Promise<Receipt> {
  const { runId, ordinal, planId, table } = input;
  const [written, plan, health] = await Promise.all([
    deps.ledger.readReceipt(runId, ordinal),
    readTablePlan(deps.ledger, planId, table),
    measure(deps, table),
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

interface Step extends OperateInput {
  readonly decision: Decision;
  readonly operation: Operation;
  readonly engine: EngineName;
}

/** Pins the state before, or answers a refusal when the table is not what the plan saw. */
async function begin(
  deps: OperateDeps,
  step: Step,
  plan: TablePlan,
  health: TableHealth,
): Promise<StartedOperation | Receipt> {
  const startedAt = new Date(deps.nowMs()).toISOString();
  const mine: StartedOperation = {
    runId: step.runId,
    ordinal: step.ordinal,
    table: step.table,
    operation: step.operation.kind,
    engine: step.engine,
    before: beforeOf(health),
    startedAt,
  };
  const expected =
    step.expectedSnapshotId === undefined ? plan.snapshotId : step.expectedSnapshotId;
  // An approved list of orphans is held against the table as it is: commits do not make it wrong.
  const pinned = !(
    step.operation.kind === 'remove_orphans' && step.operation.looks.kind === 'approved'
  );
  const moved = plan.tableUuid !== health.tableUuid || (pinned && expected !== health.snapshotId);
  // On a retry the table may have moved because of us: then the first attempt's row is there.
  if (activityInfo().attempt > 1) {
    const first = await deps.ledger.readStartedOperation(step.runId, step.ordinal);
    if (first !== null) return first;
  }
  const needed = moved ? null : await neededMeanwhile(deps, step, health);
  if (!moved && needed === null) return deps.ledger.startOperation(mine);
  const message =
    needed !== null
      ? `${step.table}: ${needed}, which was not so when the plan was made: plan again`
      : plan.tableUuid === health.tableUuid
        ? `${step.table} is at snapshot ${health.snapshotId}, but the plan was made at ` +
          `${expected}: somebody else wrote; plan again`
        : `${step.table} is another table now (uuid ${health.tableUuid}): plan again`;
  return receiptOf(step, mine, health, deps.nowMs(), {
    status: 'refused',
    error: { code: 'TableChanged', message },
  });
}

/** Tags, branches, pins and readers may have come since the plan was made. */
async function neededMeanwhile(
  deps: OperateDeps,
  { operation, table }: Step,
  health: TableHealth,
): Promise<string | null> {
  if (operation.kind !== 'expire_snapshots') return null;
  const nowMs = deps.nowMs();
  const [pinned, consumers] = await Promise.all([
    deps.ledger.livePins(table, new Date(nowMs).toISOString()),
    readConsumers(deps, table, nowMs),
  ]);
  return neededByNow(operation.snapshotIds, { health, pinned, consumers, nowMs });
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
  try {
    const result = await executeAll(deps, step, started, runner, compiled);
    const health = await measure(deps, step.table);
    // An execution found by its commit has no rows: then the snapshots' summaries tell.
    const told = result.rows.length > 0 ? compiler.readOutcome(step.operation, result.rows) : null;
    const invariants = checkInvariants(step.operation, started.before, health);
    const receipt = receiptOf(step, started, health, deps.nowMs(), {
      ...statusOf(step, started, health, invariants),
      bytesRewritten: told?.bytesRewritten ?? bytesReplaced(started, health),
      filesRemoved: told?.filesRemoved ?? 0,
      engineOperationId: result.engineOperationId,
      reattached: result.reattached,
      invariants,
    });
    return { receipt, release: result.release };
  } catch (error) {
    if (!isDefinitive(error)) throw error;
    const health = await measure(deps, step.table);
    const { code, message, details } = error;
    const engineOperationId = String(details.operationId ?? details.queryId ?? '') || null;
    const told = { status: 'failed', error: { code, message }, engineOperationId } as const;
    return { receipt: receiptOf(step, started, health, deps.nowMs(), told) };
  }
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
async function executeAll(
  deps: OperateDeps,
  step: Step,
  started: StartedOperation,
  runner: EngineRunner,
  statements: readonly Statement[],
): Promise<ExecutionResult> {
  let result: ExecutionResult | null = null;
  for (const [index, statement] of statements.entries()) {
    result = await executeOnce({
      runner,
      statement,
      // The last statement's identity is what `endStatement` is given.
      key: operationKey(step.runId, step.ordinal, statements.length - 1 - index),
      session: MAINTENANCE_SESSION,
      hasCommitted: async () =>
        operationCommitted(step.operation, started.before, await measure(deps, step.table)),
    });
  }
  if (result === null) throw new IcewrightError('Internal', 'an operation without statements');
  return result;
}

function measure(deps: OperateDeps, table: string): Promise<TableHealth> {
  return deps.catalog.measureTable(tableFromKey(table), {
    nowMs: deps.nowMs(),
    depth: 'metadata',
  });
}

function statusOf(
  { operation, table }: Step,
  started: StartedOperation,
  after: TableHealth,
  invariants: readonly InvariantCheck[],
): Pick<Receipt, 'status' | 'error'> {
  const broken = invariants.filter((one) => !one.ok);
  if (broken.length > 0) {
    const what = broken.map((one) => `${one.name}: ${one.detail}`).join('; ');
    return {
      status: 'failed',
      error: { code: 'InvariantBroken', message: `${table} is not as it must be: ${what}` },
    };
  }
  const changed = hasChanged(operation, started.before, after);
  return { status: changed ? 'done' : 'noop', error: null };
}

function bytesReplaced(started: StartedOperation, after: TableHealth): number {
  return snapshotsSince(after, started.before.snapshotId)
    .filter((snapshot) => snapshot.operation === 'replace')
    .reduce((sum, { summary }) => sum + Number(summary['removed-files-size'] ?? 0), 0);
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

function receiptOf(
  step: Step,
  started: StartedOperation,
  after: TableHealth,
  nowMs: number,
  told: Partial<Receipt> & Pick<Receipt, 'status'>,
): Receipt {
  const { before, startedAt } = started;
  return {
    operation: step.operation.kind,
    engine: step.engine,
    startedAt,
    finishedAt: new Date(nowMs).toISOString(),
    snapshotBefore: before.snapshotId,
    snapshotAfter: after.snapshotId,
    filesBefore: before.files,
    filesAfter: after.dataFiles,
    bytesBefore: before.bytes,
    bytesAfter: after.totalBytes,
    snapshotsBefore: before.snapshots,
    snapshotsAfter: after.snapshots.length,
    bytesRewritten: 0,
    filesRemoved: 0,
    rowsWritten: 0,
    engineOperationId: null,
    reattached: false,
    invariants: [],
    planned: plannedOf(step),
    sequenceAfter: headSequence(after),
    error: null,
    ...told,
  };
}

function plannedOf({ operation, decision }: Step): PlannedReceipt {
  const compact = operation.kind === 'compact' ? operation : null;
  return {
    estimate: decision.estimate,
    strategy: compact?.strategy ?? null,
    columns: compact?.columns ?? [],
    rewriteAll: compact?.rewriteAll ?? false,
  };
}

function headSequence({ snapshots, snapshotId }: TableHealth): number | null {
  const head = snapshots.find((one) => one.snapshotId === snapshotId);
  return head === undefined || head.sequenceNumber === 0 ? null : head.sequenceNumber;
}
