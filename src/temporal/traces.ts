/**
 * A trace of each night and of each run by hand, from what the ledger is told: who asked for it,
 * how long each run waited for its table, and every statement on an engine. The ids of spans come
 * from those of runs: whichever worker writes a row continues the same trace, also after a crash.
 */
import { createHash } from 'node:crypto';
import type { Ledger, RunRow } from '../activities/ledger-port.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { Span, SpanExporter } from './otlp.ts';

/** Loaded only where traces are wanted. */
export { createOtlpExporter } from './otlp.ts';

/** Runs whose parents are remembered, so that the ledger need not be asked for them. */
const PARENTS_MAX = 1_000;

/** The same ledger; what it is told of ends becomes spans. A fault of these disturbs nothing. */
export function traceLedger<T extends Ledger>(ledger: T, exporter: SpanExporter): T {
  const parents = new Map<string, string | null>();
  const remember = ({ runId, parentRunId }: RunRow) => {
    parents.set(runId, parentRunId);
    const [oldest] = parents.keys();
    if (parents.size > PARENTS_MAX && oldest !== undefined) parents.delete(oldest);
  };
  const rootOf = async (runId: string): Promise<string> => {
    const known = parents.get(runId);
    const parent = known === undefined ? (await ledger.readRun(runId))?.parentRunId : known;
    return parent ?? runId;
  };
  return {
    ...ledger,
    saveRun: async (run) => {
      await ledger.saveRun(run);
      remember(run);
      for (const span of spansOfRun(run)) exporter.add(span);
    },
    saveReceipt: async (runId, ordinal, table, receipt) => {
      const kept = await ledger.saveReceipt(runId, ordinal, table, receipt);
      const add = (root: string) =>
        exporter.add(spanOfStatement({ runId, ordinal, table, receipt: kept }, root));
      rootOf(runId).then(add, () => add(runId));
      return kept;
    },
  };
}

/** A run that has ended, and the time that it waited for its table. */
export function spansOfRun(run: RunRow): readonly Span[] {
  if (run.finishedAt === null) return [];
  const traceId = hex(`trace ${run.parentRunId ?? run.runId}`, 32);
  const spanId = spanOfRun(run.runId);
  const createdMs = Date.parse(run.createdAt);
  const whole: Span = {
    traceId,
    spanId,
    parentSpanId: run.parentRunId === null ? null : spanOfRun(run.parentRunId),
    name: run.table === null ? run.title : `${run.title} ${run.table}`,
    startMs: createdMs,
    endMs: Date.parse(run.finishedAt),
    attributes: {
      'icewright.run_id': run.runId,
      'icewright.kind': run.kind,
      'icewright.state': run.state,
      'icewright.table': run.table,
      'icewright.requested_by': run.requestedBy,
      'temporal.workflow_id': run.workflowId,
    },
    error: run.state === 'done' ? null : (run.error?.code ?? run.state),
  };
  if (run.table === null) return [whole];
  const waited: Span = {
    ...{ traceId, spanId: hex(`wait ${run.runId}`, 16), parentSpanId: spanId, error: null },
    name: 'wait for the table',
    startMs: createdMs,
    endMs: Date.parse(run.startedAt ?? run.finishedAt),
    attributes: { 'icewright.table': run.table },
  };
  return [whole, waited];
}

interface Statement {
  readonly runId: string;
  readonly ordinal: number;
  readonly table: string;
  readonly receipt: Receipt;
}

/** @param root the run at the top: a night, or the run itself */
export function spanOfStatement({ runId, ordinal, table, receipt }: Statement, root: string): Span {
  return {
    traceId: hex(`trace ${root}`, 32),
    spanId: hex(`statement ${runId} ${ordinal}`, 16),
    parentSpanId: spanOfRun(runId),
    name: `${receipt.engine} ${receipt.operation}`,
    startMs: Date.parse(receipt.startedAt),
    endMs: Date.parse(receipt.finishedAt),
    attributes: {
      'db.system': receipt.engine,
      'icewright.table': table,
      'icewright.operation': receipt.operation,
      'icewright.status': receipt.status,
      'icewright.engine_operation_id': receipt.engineOperationId,
      'icewright.reattached': receipt.reattached,
      'icewright.bytes_rewritten': receipt.bytesRewritten,
      'icewright.snapshot_after': receipt.snapshotAfter,
    },
    error: receipt.error === null ? null : receipt.error.code,
  };
}

function spanOfRun(runId: string): string {
  return hex(`run ${runId}`, 16);
}

/** The first digits of a digest: random enough, and the same for every worker. */
function hex(text: string, digits: 16 | 32): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
