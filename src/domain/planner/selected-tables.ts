/** The tables that a sweep has maintained, as its workflow sees them. */
import type { TablePlan } from '../operation.ts';
import type { EngineRates } from './ranking.ts';
import type { Selection } from './selection.ts';

export interface SelectedTable {
  readonly table: string;
  /** As estimated. */
  readonly bytes: number;
  readonly engineSeconds: number;
  /** Overdue, and larger than the budget: it begins nevertheless. */
  readonly beyond?: true;
  /** Something of it is left for later: it goes on waiting. */
  readonly partly?: true;
}

/**
 * Best first.
 * @param stands what will be carried out: of an earlier attempt, which may have chosen otherwise
 */
export function selectedTables(
  stands: readonly TablePlan[],
  { chosen, left, beyond }: Selection,
  rates: EngineRates,
): readonly SelectedTable[] {
  const rank = new Map([...new Set(chosen.map((one) => one.table))].map((one, at) => [one, at]));
  const rankOf = ({ table }: { readonly table: string }) => rank.get(table) ?? rank.size;
  const partly = new Set(left.map((one) => one.candidate.table));
  return stands
    .flatMap((plan): readonly SelectedTable[] => {
      const due = plan.decisions.filter((one) => one.action === 'run');
      if (due.length === 0) return [];
      const { table } = plan;
      const mine = chosen.filter((one) => one.table === table);
      const cost = mine.length > 0 ? sumOf(mine) : estimated(due, rates);
      return [
        {
          ...{ table, ...cost },
          ...(table === beyond ? { beyond: true } : {}),
          ...(partly.has(table) ? { partly: true } : {}),
        },
      ];
    })
    .sort((a, b) => rankOf(a) - rankOf(b));
}

type Cost = Pick<SelectedTable, 'bytes' | 'engineSeconds'>;

function sumOf(parts: readonly Cost[]): Cost {
  const sum = (name: keyof Cost) => parts.reduce((total, one) => total + one[name], 0);
  return { bytes: sum('bytes'), engineSeconds: sum('engineSeconds') };
}

function estimated(due: TablePlan['decisions'], rates: EngineRates): Cost {
  return sumOf(
    due.map(({ estimate, engine }) => {
      const bytes = estimate?.bytesRewritten ?? 0;
      return { bytes, engineSeconds: bytes / rates[engine ?? 'spark'] };
    }),
  );
}
