/** Which tables get gauges of their own when a catalog has more than the configured number. */
import type { Finding, TableFigures, TableReport } from '../domain/health/health.ts';

export function isReadable({ failure }: TableReport): boolean {
  return failure === null;
}

/** Small files; none are known of where the manifests were not read. */
export function small({ smallFiles }: TableFigures): number {
  return smallFiles ?? 0;
}

/** The gravest finding's severity; `unreadable` goes before all, `healthy`: no finding. */
export function worstSeverity(report: TableReport): Finding['severity'] | 'healthy' | 'unreadable' {
  if (!isReadable(report)) return 'unreadable';
  const found = new Set(report.findings.map(({ severity }) => severity));
  const order = ['critical', 'warning', 'info'] as const;
  return order.find((one) => found.has(one)) ?? 'healthy';
}

const GRAVITY = { unreadable: 4, critical: 3, warning: 2, info: 1, healthy: 0 } as const;

/**
 * One ranking for each thing that an alert looks at: whatever is worst in one of them is seen, also
 * when its score is that of many others.
 */
const RANKINGS: readonly ((report: TableReport) => number)[] = [
  (one) => GRAVITY[worstSeverity(one)],
  ({ score }) => (score === null ? 0 : 100 - score.value),
  ({ figures }) => (figures === null ? 0 : small(figures)),
  ({ figures }) => figures?.snapshots ?? 0,
  ({ figures }) => figures?.detail?.backlogFiles ?? 0,
];

/** The worst `max` tables, taken in turn from each ranking. Equal ones go by name. */
export function chooseShown(reports: readonly TableReport[], max: number): readonly TableReport[] {
  if (reports.length <= max) return reports;
  const byName = [...reports].sort((a, b) => (a.table < b.table ? -1 : 1));
  const ranked = RANKINGS.map((rank) => byName.toSorted((a, b) => rank(b) - rank(a)));
  const chosen = new Set<TableReport>();
  for (let place = 0; chosen.size < max; place += 1) {
    for (const ranking of ranked) {
      const report = ranking[place];
      if (report !== undefined && chosen.size < max) chosen.add(report);
    }
  }
  return [...chosen];
}
