/** The jobs of one night: asks tables' workflows for them and gathers what they came to. */
import {
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setHandler,
} from '@temporalio/workflow';
import { healthWorkflowId, partRunId } from '../domain/ids.ts';
import type { JobOutcome } from '../domain/job.ts';
import type { NightModel } from '../domain/model/graph.ts';
import { tableFromKey } from '../domain/table.ts';
import {
  type MaintenanceReport,
  type ModelReport,
  type NightlyInput,
  nightlyProgressQuery,
  type ProgressState,
  sweepSoonSignal,
} from './messages.ts';
import { control, localControl } from './proxies.ts';
import { TableRequests } from './table-requests.ts';

/** Nights that keep to their concurrency, and have health measured at their end. */
const NIGHT_2 = 'night-2';

/** What a night knows of its jobs: guarded here because signals arrive at any await. */
export class Night {
  phase: 'planning' | 'transforming' | 'maintaining' | 'done' = 'planning';
  private readonly runId: string;
  private readonly requestedBy: string;
  private readonly requests: TableRequests;
  private readonly modelStates = new Map<string, ProgressState>();
  private readonly tableStates = new Map<string, ProgressState>();

  constructor(runId: string, workflowId: string, input: NightlyInput) {
    this.runId = runId;
    this.requestedBy = input.requestedBy;
    this.requests = new TableRequests(
      workflowId,
      (request) => localControl.submitTableJob(request),
      patched(NIGHT_2),
    );
    this.requests.concurrency = input.concurrency;
    setHandler(nightlyProgressQuery, () => ({
      phase: this.phase,
      models: [...this.modelStates].map(([model, state]) => ({ model, state })),
      tables: [...this.tableStates].map(([table, state]) => ({ table, state })),
    }));
  }

  async transformAll(models: readonly NightModel[]): Promise<readonly ModelReport[]> {
    this.phase = 'transforming';
    const reports = new Map<string, Promise<ModelReport>>();
    for (const model of models) this.modelStates.set(model.model, 'waiting');
    // `models` is in topological order: what a model waits for is in the map before it.
    for (const model of models) {
      const before = model.after.map((name) => reports.get(name) as Promise<ModelReport>);
      reports.set(model.model, this.transformAfter(model, before));
    }
    return allEnded([...reports.values()]);
  }

  private async transformAfter(
    model: NightModel,
    before: readonly Promise<ModelReport>[],
  ): Promise<ModelReport> {
    const upstream = await Promise.all(before);
    const broken = upstream.filter((one) => one.status === 'failed' || one.status === 'skipped');
    if (broken.length > 0) {
      this.modelStates.set(model.model, 'skipped');
      return skippedModel(
        model,
        broken.map((one) => one.model),
      );
    }
    this.modelStates.set(model.model, 'running');
    const startedAt = new Date().toISOString();
    const outcome = await this.requests.ask(model.table, {
      runId: partRunId(this.runId, model.model),
      kind: 'transform',
      // A run that began before this night may have read less: never join it.
      dedupeKey: `transform/${this.runId}`,
      title: `transform ${model.model}`,
      requestedBy: this.requestedBy,
      parentRunId: this.runId,
      work: { kind: 'transform', model: model.model, fullRefresh: false },
    });
    const report = modelReport(model, outcome, startedAt);
    this.modelStates.set(model.model, report.status);
    return report;
  }

  async maintainAll(tables: readonly string[]): Promise<{
    readonly planId: string;
    readonly maintenance: readonly MaintenanceReport[];
  }> {
    this.phase = 'maintaining';
    const planned = await control.planMaintenance({ tables, runId: this.runId });
    for (const table of planned.tables) this.tableStates.set(table, 'waiting');
    const maintenance = await allEnded(
      planned.tables.map((table) => this.maintain(table, planned.planId)),
    );
    return { planId: planned.planId, maintenance };
  }

  private async maintain(table: string, planId: string): Promise<MaintenanceReport> {
    this.tableStates.set(table, 'running');
    const outcome = await this.requests.ask(table, {
      runId: partRunId(this.runId, `maintenance.${table}`),
      kind: 'maintenance',
      dedupeKey: `plan/${planId}`,
      title: 'maintenance by plan',
      requestedBy: this.requestedBy,
      parentRunId: this.runId,
      work: { kind: 'apply_plan', planId },
    });
    const { state, receipts: operations } = outcome;
    this.tableStates.set(table, state === 'cancelled' ? 'failed' : state);
    return { table, planId, operations, state, error: outcome.error?.message ?? null };
  }

  /** Health is to show what the night has made before its next due time. */
  async haveMeasured(tables: readonly string[]): Promise<void> {
    const [first] = tables;
    if (first === undefined || !patched(NIGHT_2)) return;
    const { catalog } = tableFromKey(first);
    try {
      await getExternalWorkflowHandle(healthWorkflowId(catalog)).signal(sweepSoonSignal);
    } catch (error) {
      if (isCancellation(error)) throw error;
      // Nobody sweeps this catalog: nothing is missed.
    }
  }

  /** A cancelled night takes its wishes back: waiting jobs leave, running ones are cancelled. */
  withdrawAll(): Promise<void> {
    return this.requests.withdrawAll();
  }
}

/** Like `Promise.all`, but nothing is still being asked for when it throws. */
async function allEnded<T>(parts: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}

function modelReport(model: NightModel, outcome: JobOutcome, startedAt: string): ModelReport {
  const receipt = outcome.receipts[0];
  const told = outcome.transform;
  return {
    model: model.model,
    engine: model.engine,
    status: outcome.state === 'done' && told !== null ? told.status : 'failed',
    rowsWritten: told?.rowsWritten ?? 0,
    snapshotId: told?.snapshotId ?? null,
    inputs: told?.inputs ?? {},
    because: told?.because ?? outcome.error?.message ?? '',
    startedAt,
    finishedAt: new Date().toISOString(),
    engineOperationId: receipt?.engineOperationId ?? null,
    reattached: receipt?.reattached ?? false,
    error: outcome.error?.message ?? null,
  };
}

function skippedModel(model: NightModel, broken: readonly string[]): ModelReport {
  return {
    model: model.model,
    engine: model.engine,
    status: 'skipped',
    rowsWritten: 0,
    snapshotId: null,
    inputs: {},
    because: `not run, because ${broken.join(', ')} did not succeed`,
    startedAt: null,
    finishedAt: null,
    engineOperationId: null,
    reattached: false,
    error: null,
  };
}
