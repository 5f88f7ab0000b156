/** Starts a night, shows how far it is, and prints its report. */
import { CONTROL_QUEUE, nightlyWorkflowId, transformWorkflowId } from '../domain/ids.ts';
import { tableFromKey } from '../domain/table.ts';
import type { NightlyInput, NightlyProgress, NightlyReport } from '../workflows/messages.ts';
import type { CommandResult } from './command.ts';
import { tablePlanJson } from './decision-json.ts';
import { newRunId } from './job.ts';
import { type TableChange, tellNight } from './night-report.ts';
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

const PROGRESS_MS = 500;
const NO_WORKER_MS = 5_000;

export interface NightRequest {
  readonly workflow: 'nightly' | 'transformRun';
  readonly models: readonly string[];
  readonly maintenance: boolean;
  readonly concurrency: number;
}

export async function performNight(
  session: Session,
  terminal: Terminal,
  request: NightRequest,
): Promise<CommandResult> {
  // Faults in models and policies are told here, with file and line, before anything starts.
  const project = await session.project();
  await Promise.all([project.models(), project.policies()]);
  const { startNight, watchNight } = await import('../temporal/nights.ts');
  const { hasWorker } = await import('../temporal/workers.ts');
  const client = await session.temporal();
  const runId = newRunId();
  const { workflow, models, maintenance, concurrency } = request;
  const input: NightlyInput = {
    runId,
    requestedBy: session.requestedBy,
    models,
    maintenance,
    concurrency,
  };
  const id = workflow === 'nightly' ? nightlyWorkflowId(runId) : transformWorkflowId(runId);
  const night = await startNight(client, { workflow, workflowId: id, input });
  terminal.note(`${workflow === 'nightly' ? 'night' : 'transform'} ${runId} started`);
  const startedMs = Date.now();
  let warned = false;
  const report = await watchNight(night, PROGRESS_MS, async (progress) => {
    if (progress !== null) return terminal.progress(progressLine(progress));
    if (warned || Date.now() - startedMs < NO_WORKER_MS) return;
    warned = true;
    if (await hasWorker(client, CONTROL_QUEUE)) return;
    terminal.note('no worker runs at the moment: the night waits until one is started');
  });
  terminal.progress('');
  const plan =
    report.planId === null ? null : await (await session.ledger()).readPlan(report.planId);
  const changes = await readChanges(session, report, plan?.tables.map((one) => one.table) ?? []);
  tellNight(terminal, { report, plan, changes, temporalUiUrl: session.config.temporal.uiUrl });
  const json = { ...report, tables: changes, decisions: plan?.tables.map(tablePlanJson) ?? [] };
  return report.failed.length === 0 ? { json } : { json, exitCode: 1 };
}

/** From the first receipt's "before" to the last one's "after"; a table without one, as it is. */
async function readChanges(
  session: Session,
  report: NightlyReport,
  tables: readonly string[],
): Promise<readonly TableChange[]> {
  const ledger = await session.ledger();
  const runs = await ledger.listRuns({ parentRunId: report.runId, limit: 10_000 });
  const receipts = (await Promise.all(runs.map((run) => ledger.listReceipts(run.runId)))).flat();
  receipts.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  return Promise.all(
    tables.map(async (table) => {
      const mine = receipts.filter((one) => one.table === table && one.status !== 'refused');
      const first = mine[0];
      const last = mine.at(-1);
      if (first === undefined || last === undefined) return unchanged(session, table);
      return {
        table,
        files: [first.filesBefore, last.filesAfter] as const,
        snapshots: [first.snapshotsBefore, last.snapshotsAfter] as const,
        bytes: [first.bytesBefore, last.bytesAfter] as const,
      };
    }),
  );
}

async function unchanged(session: Session, table: string): Promise<TableChange> {
  const catalog = await session.catalog();
  const options = { nowMs: Date.now(), depth: 'metadata' } as const;
  const health = await catalog.measureTable(tableFromKey(table), options);
  return {
    table,
    files: [health.dataFiles, health.dataFiles],
    snapshots: [health.snapshots.length, health.snapshots.length],
    bytes: [health.totalBytes, health.totalBytes],
  };
}

function progressLine({ phase, models, tables }: NightlyProgress): string {
  const list = phase === 'maintaining' ? tables : models;
  const ended = list.filter((one) => one.state !== 'waiting' && one.state !== 'running').length;
  const running = list.flatMap((one) =>
    one.state === 'running' ? ['model' in one ? one.model : one.table] : [],
  );
  const names = running.length === 0 ? '' : `: ${running.join(', ')}`;
  return `${phase} ${ended}/${list.length}${names}`;
}
