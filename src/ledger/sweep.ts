/** Statements on what sweeps know of tables, and on the plans among which one chooses. */
import type { SweepNote, SweepPlan } from '../activities/ledger-port.ts';
import { jsonText, type Queryable } from './connection.ts';

interface RawNote {
  readonly table_key: string;
  readonly etag: string | null;
  readonly rules: string;
  readonly quiet_until: Date | null;
  readonly waiting_since: Date | null;
}

export async function selectSweepNotes(
  db: Queryable,
  tables: readonly string[],
): Promise<ReadonlyMap<string, SweepNote>> {
  const { rows } = await db.query(
    'select * from icewright.sweep_note where table_key = any($1::text[])',
    [tables],
  );
  return new Map(
    (rows as RawNote[]).map((row) => [
      row.table_key,
      {
        table: row.table_key,
        etag: row.etag,
        rules: row.rules,
        quietUntilMs: row.quiet_until?.getTime() ?? null,
        waitingSinceMs: row.waiting_since?.getTime() ?? null,
      },
    ]),
  );
}

/** Replaces what is there. */
export async function upsertSweepNotes(db: Queryable, notes: readonly SweepNote[]): Promise<void> {
  if (notes.length === 0) return;
  const at = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  const rows = notes.map((note) => ({
    table_key: note.table,
    etag: note.etag,
    rules: note.rules,
    quiet_until: at(note.quietUntilMs),
    waiting_since: at(note.waitingSinceMs),
  }));
  await db.query(
    `insert into icewright.sweep_note (table_key, etag, rules, quiet_until, waiting_since)
     select * from jsonb_to_recordset($1::jsonb) as given (
       table_key text, etag text, rules text, quiet_until timestamptz, waiting_since timestamptz)
     on conflict (table_key) do update set
       etag = excluded.etag,
       rules = excluded.rules,
       quiet_until = excluded.quiet_until,
       waiting_since = excluded.waiting_since`,
    [jsonText(rows)],
  );
}

export async function upsertSweepPlans(
  db: Queryable,
  sweepId: string,
  plans: readonly SweepPlan[],
): Promise<void> {
  if (plans.length === 0) return;
  const rows = plans.map((document) => ({ table_key: document.plan.table, document }));
  await db.query(
    `insert into icewright.sweep_plan (sweep_id, table_key, document)
     select $1, table_key, document
     from jsonb_to_recordset($2::jsonb) as given (table_key text, document jsonb)
     on conflict (sweep_id, table_key) do update set document = excluded.document`,
    [sweepId, jsonText(rows)],
  );
}

/** In the order of their names. */
export async function selectSweepPlans(
  db: Queryable,
  sweepId: string,
): Promise<readonly SweepPlan[]> {
  const { rows } = await db.query(
    'select document from icewright.sweep_plan where sweep_id = $1 order by table_key',
    [sweepId],
  );
  return (rows as { document: SweepPlan }[]).map((row) => row.document);
}

/** Those of this sweep, and what sweeps that never ended have left behind. */
export async function deleteSweepPlans(db: Queryable, sweepId: string): Promise<void> {
  await db.query(
    `delete from icewright.sweep_plan
     where sweep_id = $1 or planned_at < now() - interval '7 days'`,
    [sweepId],
  );
}

/** What the last compactions of each engine rewrote, and how long they took in all. */
export async function selectEngineWork(
  db: Queryable,
  limit: number,
): Promise<readonly { engine: string; bytes: number; seconds: number }[]> {
  const { rows } = await db.query(
    `select document ->> 'engine' as engine,
       sum((document ->> 'bytesRewritten')::float8) as bytes,
       sum(extract(epoch from (document ->> 'finishedAt')::timestamptz
         - (document ->> 'startedAt')::timestamptz))::float8 as seconds
     from (select document from icewright.receipt
           where operation = 'compact' and status = 'done'
           order by receipt_no desc limit $1) as last
     group by 1`,
    [limit],
  );
  return rows as { engine: string; bytes: number; seconds: number }[];
}
