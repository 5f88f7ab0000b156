/** Lets days pass in the shop. Each day is one transaction: lived through as a whole or not. */
import { IcewrightError } from '../../src/domain/errors.ts';
import { inTransaction, lockClock } from './database.ts';
import { liveDay } from './day.ts';
import { SHOP_TABLES, type ShopTable } from './rows.ts';

/** More days than this at once are taken for a slip of the hand. */
export const DAYS_LIMIT = 366;

export interface ChangeCounts {
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
}

export interface AdvanceResult {
  readonly days: number;
  /** The shop's own time before and after, ISO. */
  readonly from: string;
  readonly to: string;
  /** Entries of the change log per table. */
  readonly changes: Readonly<Record<ShopTable, ChangeCounts>>;
}

/**
 * Lives through `days` days: the same seed and day number always bring the same changes.
 * Rejects with `UsageInvalid` for a number of days that is none, `StackFailed` when the database
 * does not answer or holds no shop.
 */
export async function advanceShop(
  url: string,
  { days }: { readonly days: number },
): Promise<AdvanceResult> {
  if (!Number.isInteger(days) || days < 1 || days > DAYS_LIMIT) {
    throw new IcewrightError('UsageInvalid', `days must be a whole number from 1 to ${DAYS_LIMIT}`);
  }
  const lived: Day[] = [];
  for (let day = 0; day < days; day += 1) lived.push(await advanceDay(url));
  return {
    days,
    from: (lived[0] as Day).from,
    to: (lived[lived.length - 1] as Day).to,
    changes: sumChanges(lived),
  };
}

interface Day {
  readonly from: string;
  readonly to: string;
  readonly changes: readonly { table_name: string; op: string; count: number }[];
}

async function advanceDay(url: string): Promise<Day> {
  return inTransaction(url, async (client) => {
    const seeded = await client.query(`SELECT to_regclass('shop_clock') IS NOT NULL AS there`);
    const clock = seeded.rows[0].there ? await lockClock(client) : null;
    if (clock === null) {
      throw new IcewrightError('StackFailed', 'there is no shop in this database: run npm start');
    }
    const last = await client.query('SELECT coalesce(max(id), 0) AS id FROM change_log');
    const end = await liveDay(client, clock);
    const { rows } = await client.query(
      `SELECT table_name, op, count(*)::int AS count FROM change_log
       WHERE id > $1 AND tx_id = pg_current_xact_id()::text::bigint GROUP BY table_name, op`,
      [last.rows[0].id],
    );
    return { from: clock.now.toISOString(), to: end.toISOString(), changes: rows };
  });
}

function sumChanges(days: readonly Day[]): Record<ShopTable, ChangeCounts> {
  const count = (table: ShopTable, op: string) =>
    days
      .flatMap((day) => day.changes)
      .filter((row) => row.table_name === table && row.op === op)
      .reduce((sum, row) => sum + row.count, 0);
  const entries = SHOP_TABLES.map((table) => [
    table,
    { created: count(table, 'c'), updated: count(table, 'u'), deleted: count(table, 'd') },
  ]);
  return Object.fromEntries(entries);
}
