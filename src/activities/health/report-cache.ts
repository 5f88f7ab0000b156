/**
 * The latest reports as one process knows them. Only what other workers wrote since is read from
 * the ledger: a sweep of ten thousand unchanged tables reads no rows.
 */
import type { Ledger, StoredReport } from '../ledger-port.ts';

export interface ReportCache {
  /** By table. Brought up to date with the ledger first. */
  refresh(catalog: string): Promise<ReadonlyMap<string, StoredReport>>;
  save(catalog: string, reports: readonly StoredReport[]): Promise<void>;
  forget(catalog: string, tables: readonly string[]): Promise<void>;
}

interface Known {
  mark: string | null;
  readonly reports: Map<string, StoredReport>;
}

export function createReportCache(ledger: Ledger): ReportCache {
  const catalogs = new Map<string, Known>();
  const knownOf = (catalog: string): Known => {
    const known = catalogs.get(catalog) ?? { mark: null, reports: new Map() };
    catalogs.set(catalog, known);
    return known;
  };
  return {
    refresh: async (catalog) => {
      const known = knownOf(catalog);
      const { reports, mark } = await ledger.reportsSince(catalog, known.mark);
      known.mark = mark;
      for (const report of reports) known.reports.set(report.table, report);
      return known.reports;
    },
    save: async (catalog, reports) => {
      if (reports.length === 0) return;
      await ledger.saveReports(reports);
      const known = knownOf(catalog);
      for (const report of reports) known.reports.set(report.table, report);
    },
    forget: async (catalog, tables) => {
      if (tables.length === 0) return;
      await ledger.forgetReports(catalog, tables);
      for (const table of tables) knownOf(catalog).reports.delete(table);
    },
  };
}
