/** Measures one table at a time, each within a limit of its own. */
import { type ErrorCode, IcewrightError } from '../../domain/errors.ts';
import { type TableRef, tableKey } from '../../domain/table.ts';
import { formatDuration } from '../../domain/units.ts';
import { withinTime } from '../at-once.ts';
import type { Catalog, Remeasured } from '../ports.ts';

/** A minute: the largest tables of issue 4's benchmarks take seconds. */
export const TABLE_LIMIT_MS = 60_000;

export interface MeasureFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

export type Measurement =
  | { readonly ok: true; readonly result: Remeasured }
  | { readonly ok: false; readonly failure: MeasureFailure };

export interface Measurer {
  /** Never rejects: what went wrong with a table is said of that table. */
  measure(table: TableRef, etag: string | null, nowMs: number): Promise<Measurement>;
}

/** One for each process: it remembers which tables have not answered yet. */
export function createMeasurer(catalog: Catalog, limitMs = TABLE_LIMIT_MS): Measurer {
  const hanging = new Set<string>();
  return {
    measure: async (table, etag, nowMs) => {
      const key = tableKey(table);
      const late = () => lateError(key, limitMs);
      // A second question beside one that hangs would hang too, and hold memory as long.
      if (hanging.has(key)) return { ok: false, failure: failureOf(late()) };
      hanging.add(key);
      const asked = catalog
        .remeasureTable(table, { nowMs, depth: 'files', etag })
        .finally(() => hanging.delete(key));
      try {
        return { ok: true, result: await withinTime(asked, limitMs, late) };
      } catch (error) {
        return { ok: false, failure: failureOf(error) };
      }
    },
  };
}

function lateError(key: string, limitMs: number): IcewrightError {
  const within = formatDuration(limitMs);
  const message = `${key} was not measured within ${within}: is its catalog or store overloaded?`;
  return new IcewrightError('CatalogUnavailable', message, { table: key });
}

/** What is told of an error; of one that is not ours, only its message. */
export function failureOf(error: unknown): MeasureFailure {
  if (error instanceof IcewrightError) return { code: error.code, message: error.message };
  return { code: 'Internal', message: error instanceof Error ? error.message : String(error) };
}
