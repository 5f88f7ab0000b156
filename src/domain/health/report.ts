/** Reports of tables: made from a measurement or its failure, compared, ordered. */
import type { ErrorCode } from '../errors.ts';
import type { Finding, TableHealth, TableReport } from './health.ts';
import { assess, figuresOf } from './score.ts';

/** The report of a table that was measured. `carried`: findings that only a whole sweep can tell. */
export function reportOf(health: TableHealth, carried: readonly Finding[] = []): TableReport {
  const { findings, score } = assess(health);
  return {
    table: health.table,
    measuredAtMs: health.measuredAtMs,
    figures: figuresOf(health),
    failure: null,
    findings: [...findings, ...carried],
    score,
  };
}

/** The report of a table that could not be measured: what was last known of it stays. */
export function failedReport(
  table: string,
  previous: TableReport | null,
  failure: { readonly code: ErrorCode; readonly message: string; readonly atMs: number },
): TableReport {
  const { code, message, atMs } = failure;
  const kept = (previous?.findings ?? []).filter((one) => one.code !== 'unreadable');
  const unreadable: Finding = {
    code: 'unreadable',
    severity: 'critical',
    message: `it cannot be measured (${code}): ${message}`,
  };
  return {
    table,
    measuredAtMs: atMs,
    figures: previous?.figures ?? null,
    failure: { code, message },
    findings: [unreadable, ...kept],
    // Nobody knows it: the last one would stand beside the finding as if it were true.
    score: null,
  };
}

/** Whether two reports say the same, whenever each was made. */
export function sameReport(left: TableReport, right: TableReport): boolean {
  return canonical(left) === canonical(right);
}

function canonical(report: TableReport): string {
  const { table, figures, failure, findings, score } = report;
  // PostgreSQL orders the fields of a stored document in its own way.
  return JSON.stringify({ table, figures, failure, findings, score }, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** Worst first: what cannot be read, then by score, then by name. */
export function worstFirst(left: TableReport, right: TableReport): number {
  const rank = (one: TableReport) => (one.failure !== null ? -1 : (one.score?.value ?? 100));
  return rank(left) - rank(right) || (left.table < right.table ? -1 : 1);
}
