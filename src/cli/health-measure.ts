/** Measures tables for a command: each by itself, a broken one stops no other. */
import { mapAtOnce } from '../activities/at-once.ts';
import { createMeasurer, type MeasureFailure } from '../activities/health/measuring.ts';
import type { HealthPoint } from '../activities/ledger-port.ts';
import type { Finding, TableHealth, TableReport } from '../domain/health/health.ts';
import { sharedLocations } from '../domain/health/location.ts';
import { failedReport, reportOf, worstFirst } from '../domain/health/report.ts';
import { type TableRef, tableKey } from '../domain/table.ts';
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

const TABLES_AT_ONCE = 8;

/** A table as a command shows it. */
export interface ShownTable {
  readonly report: TableReport;
  /** `null`: it could not be measured. */
  readonly health: TableHealth | null;
  readonly history: readonly HealthPoint[];
}

export interface Measuring {
  /** Worst first. Asked again, it reads only what changed. */
  measure(tables: readonly TableRef[], nowMs: number): Promise<readonly ShownTable[]>;
}

/**
 * @param everything the tables are all that the catalog has: findings that need all are told anew
 * @param sinceMs how far back the history of each goes
 */
export async function openMeasuring(
  session: Session,
  terminal: Terminal,
  options: { readonly everything: boolean; readonly sinceMs: number },
): Promise<Measuring> {
  const measurer = createMeasurer(await session.catalog());
  const known = new Map<string, { readonly etag: string | null; readonly health: TableHealth }>();
  const told = await readTold(session, terminal, options.everything);

  const measureOne = async (table: TableRef, nowMs: number) => {
    const key = tableKey(table);
    const before = known.get(key);
    const answer = await measurer.measure(table, before?.etag ?? null, nowMs);
    if (!answer.ok) return { key, failure: answer.failure, health: null };
    if (answer.result.changed) known.set(key, answer.result);
    return { key, failure: null, health: known.get(key)?.health ?? null };
  };
  return {
    measure: async (tables, nowMs) => {
      let done = 0;
      const measured = await mapAtOnce(tables, TABLES_AT_ONCE, async (table) => {
        const one = await measureOne(table, nowMs);
        done += 1;
        terminal.progress(`measuring ${done}/${tables.length} …`);
        return one;
      });
      terminal.progress('');
      const histories = await told.histories(tables.map(tableKey), options.sinceMs);
      const shared = options.everything ? sharedLocations(placesOf(measured)) : told.shared;
      return measured
        .map(({ key, failure, health }) => ({
          health,
          report: reportFor(key, { health, failure, shared: shared.get(key), nowMs }),
          history: histories.get(key) ?? [],
        }))
        .sort((a, b) => worstFirst(a.report, b.report));
    },
  };
}

function placesOf(
  measured: readonly { readonly key: string; readonly health: TableHealth | null }[],
) {
  return measured.map(({ key, health }) => ({ table: key, location: health?.location ?? null }));
}

function reportFor(
  key: string,
  found: {
    readonly health: TableHealth | null;
    readonly failure: MeasureFailure | null;
    readonly shared: Finding | undefined;
    readonly nowMs: number;
  },
): TableReport {
  const { health, failure, shared, nowMs } = found;
  if (health !== null) return reportOf(health, shared === undefined ? [] : [shared]);
  const { code, message } = failure ?? { code: 'Internal', message: 'no answer' };
  return failedReport(key, null, { code, message, atMs: nowMs });
}

interface Told {
  /** Of tables that the last sweep found to share a location. */
  readonly shared: ReadonlyMap<string, Finding>;
  histories(
    tables: readonly string[],
    sinceMs: number,
  ): Promise<ReadonlyMap<string, readonly HealthPoint[]>>;
}

/** What only the ledger knows. Health is shown without it, too. */
async function readTold(session: Session, terminal: Terminal, everything: boolean): Promise<Told> {
  let reachable = true;
  const orNothing = async <T>(nothing: T, ask: () => Promise<T>): Promise<T> => {
    if (!reachable) return nothing;
    try {
      return await ask();
    } catch (error) {
      reachable = false;
      terminal.note(`no history: ${(error as Error).message}`);
      return nothing;
    }
  };
  const histories: Told['histories'] = (tables, sinceMs) =>
    orNothing(new Map(), async () => (await session.ledger()).healthHistories(tables, sinceMs));
  if (everything) return { shared: new Map(), histories };
  const reports = await orNothing([], async () =>
    (await session.ledger()).latestReports(session.config.catalog.name),
  );
  const shared = reports.flatMap(({ table, findings }) =>
    findings.flatMap((one) => (one.code === 'location_shared' ? ([[table, one]] as const) : [])),
  );
  return { shared: new Map(shared), histories };
}
