/** Statements on started operations and their receipts. Both are written once. */
import type { StartedOperation } from '../activities/ledger-port.ts';
import { OPERATION_ORDER } from '../domain/operation.ts';
import type { Receipt } from '../domain/receipt.ts';
import { jsonText, type Queryable } from './connection.ts';

interface RawStarted {
  readonly run_id: string;
  readonly ordinal: number;
  readonly table_key: string;
  readonly operation: StartedOperation['operation'];
  readonly engine: StartedOperation['engine'];
  readonly before: StartedOperation['before'];
  readonly started_at: Date;
}

/** Leaves the row of an earlier attempt as it is, and returns the one that stands. */
export async function insertStarted(
  db: Queryable,
  started: StartedOperation,
): Promise<StartedOperation> {
  const { rows } = await db.query(
    `insert into icewright.started_operation
       (run_id, ordinal, table_key, operation, engine, before, started_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (run_id, ordinal) do nothing
     returning run_id`,
    [
      started.runId,
      started.ordinal,
      started.table,
      started.operation,
      started.engine,
      jsonText(started.before),
      started.startedAt,
    ],
  );
  if (rows.length > 0) return started;
  return (await selectStarted(db, started.runId, started.ordinal)) ?? started;
}

export async function selectStarted(
  db: Queryable,
  runId: string,
  ordinal: number,
): Promise<StartedOperation | null> {
  const { rows } = await db.query(
    `select run_id, ordinal, table_key, operation, engine, before, started_at
     from icewright.started_operation
     where run_id = $1 and ordinal = $2`,
    [runId, ordinal],
  );
  const row = (rows as RawStarted[])[0];
  if (row === undefined) return null;
  return {
    runId: row.run_id,
    ordinal: row.ordinal,
    table: row.table_key,
    operation: row.operation,
    engine: row.engine,
    before: row.before,
    startedAt: row.started_at.toISOString(),
  };
}

/** Leaves the receipt that is already there as it is, and returns the one that stands. */
export async function insertReceipt(
  db: Queryable,
  runId: string,
  ordinal: number,
  table: string,
  receipt: Receipt,
): Promise<Receipt> {
  const { rows } = await db.query(
    `insert into icewright.receipt (run_id, ordinal, table_key, document)
     values ($1, $2, $3, $4)
     on conflict (run_id, ordinal) do nothing
     returning run_id`,
    [runId, ordinal, table, jsonText(receipt)],
  );
  return rows.length > 0 ? receipt : ((await selectReceipt(db, runId, ordinal)) ?? receipt);
}

export async function selectReceipt(
  db: Queryable,
  runId: string,
  ordinal: number,
): Promise<Receipt | null> {
  const { rows } = await db.query(
    'select document from icewright.receipt where run_id = $1 and ordinal = $2',
    [runId, ordinal],
  );
  return (rows as { document: Receipt }[])[0]?.document ?? null;
}

/** In the order in which the run did them. */
export async function selectReceipts(
  db: Queryable,
  runId: string,
): Promise<readonly (Receipt & { readonly table: string })[]> {
  const { rows } = await db.query(
    'select table_key, document from icewright.receipt where run_id = $1 order by ordinal',
    [runId],
  );
  const found = rows as { table_key: string; document: Receipt }[];
  return found.map((row) => ({ ...row.document, table: row.table_key }));
}

/** By the time at which they were written, oldest first. */
export async function selectReceiptsBetween(
  db: Queryable,
  since: string,
  until: string,
): Promise<readonly (Receipt & { readonly table: string })[]> {
  const { rows } = await db.query(
    `select table_key, document from icewright.receipt
     where recorded_at >= $1 and recorded_at < $2
     order by receipt_no`,
    [since, until],
  );
  const found = rows as { table_key: string; document: Receipt }[];
  return found.map((row) => ({ ...row.document, table: row.table_key }));
}

/** Newest first. */
export async function selectRecentReceipts(
  db: Queryable,
  table: string,
  limit: number,
): Promise<readonly Receipt[]> {
  const { rows } = await db.query(
    `select document from icewright.receipt
     where table_key = $1
     order by receipt_no desc
     limit $2`,
    [table, limit],
  );
  return (rows as { document: Receipt }[]).map((row) => row.document);
}

/** Ways in which an operation ends, as the index on receipts tells them apart. */
const ENDINGS: readonly string[] = ['done', 'noop', 'failed', 'refused', 'cancelled'];

/** The last `limit` of each operation and each ending; all together newest first. */
export async function selectReceiptsOfEach(
  db: Queryable,
  table: string,
  limit: number,
): Promise<readonly Receipt[]> {
  const { rows } = await db.query(
    `select last.document
     from unnest($2::text[]) as kind (operation)
     cross join unnest($3::text[]) as way (ending)
     cross join lateral (
       select receipt_no, document from icewright.receipt
       where table_key = $1
         and receipt.operation = kind.operation
         and (case when document #>> '{error,code}' = 'Cancelled' then 'cancelled' else status end)
           = way.ending
       order by receipt_no desc
       limit $4
     ) as last
     order by last.receipt_no desc`,
    [table, [...OPERATION_ORDER, 'transform'], ENDINGS, limit],
  );
  return (rows as { document: Receipt }[]).map((row) => row.document);
}
