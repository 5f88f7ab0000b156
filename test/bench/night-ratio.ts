import type { Ledger } from '../../src/activities/ledger-port.ts';

/**
 * A night's length against the time in which at least one of its engine statements was running:
 * what is left is what orchestration adds. Statements that overlap are counted once.
 */
export async function nightRatio(
  ledger: Ledger,
  report: { readonly runId: string; readonly startedAt: string; readonly finishedAt: string },
): Promise<{ readonly nightMs: number; readonly engineMs: number; readonly ratio: number }> {
  const runs = await ledger.listRuns({ parentRunId: report.runId, limit: 10_000 });
  const receipts = (await Promise.all(runs.map((run) => ledger.listReceipts(run.runId)))).flat();
  const spans = receipts
    .map((one) => [Date.parse(one.startedAt), Date.parse(one.finishedAt)] as const)
    .sort((a, b) => a[0] - b[0]);
  let engineMs = 0;
  let until = 0;
  for (const [begin, end] of spans) {
    engineMs += Math.max(0, end - Math.max(begin, until));
    until = Math.max(until, end);
  }
  const nightMs = Date.parse(report.finishedAt) - Date.parse(report.startedAt);
  return { nightMs, engineMs, ratio: nightMs / engineMs };
}
