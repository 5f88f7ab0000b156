/** Statements on snapshot pins. */
import type { SnapshotPin } from '../activities/ledger-port.ts';
import type { Queryable } from './connection.ts';

/** Pins all at once or none; pinning again moves the end of the pin. */
export async function upsertPins(
  db: Queryable,
  runId: string,
  pins: readonly SnapshotPin[],
  expiresAt: string,
): Promise<void> {
  await db.query(
    `insert into icewright.snapshot_pin (run_id, table_key, snapshot_id, expires_at)
     select distinct $1, pin.table_key, pin.snapshot_id, $4::timestamptz
     from unnest($2::text[], $3::text[]) as pin (table_key, snapshot_id)
     on conflict (run_id, table_key, snapshot_id) do update set expires_at = excluded.expires_at`,
    [runId, pins.map((pin) => pin.table), pins.map((pin) => pin.snapshotId), expiresAt],
  );
}

export async function deletePins(db: Queryable, runId: string): Promise<void> {
  await db.query('delete from icewright.snapshot_pin where run_id = $1', [runId]);
}

/** Pins of a run that died end at `expires_at`. */
export async function selectLivePins(
  db: Queryable,
  table: string,
  now: string,
): Promise<readonly string[]> {
  const { rows } = await db.query(
    `select distinct snapshot_id from icewright.snapshot_pin
     where table_key = $1 and expires_at > $2
     order by snapshot_id`,
    [table, now],
  );
  return (rows as { snapshot_id: string }[]).map((row) => row.snapshot_id);
}
