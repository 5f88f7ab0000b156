/** Statements on the log of pauses. */
import type { PauseEvent } from '../domain/policy/pause.ts';
import type { Queryable } from './connection.ts';

interface RawEvent {
  readonly kind: PauseEvent['kind'];
  readonly pattern: string;
  readonly operation: PauseEvent['operation'];
  readonly until: Date | null;
  readonly reason: string;
  readonly made_by: string;
  readonly made_at: Date;
}

export async function insertPauseEvent(db: Queryable, event: PauseEvent): Promise<void> {
  await db.query(
    `insert into icewright.pause_event (kind, pattern, operation, until, reason, made_by, made_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [event.kind, event.pattern, event.operation, event.until, event.reason, event.by, event.at],
  );
}

/** All of them, oldest first: people write them, so they are few. */
export async function selectPauseEvents(db: Queryable): Promise<readonly PauseEvent[]> {
  const { rows } = await db.query(
    `select kind, pattern, operation, until, reason, made_by, made_at
     from icewright.pause_event order by event_no`,
    [],
  );
  return (rows as RawEvent[]).map((row) => ({
    kind: row.kind,
    pattern: row.pattern,
    operation: row.operation,
    until: row.until?.toISOString() ?? null,
    reason: row.reason,
    by: row.made_by,
    at: row.made_at.toISOString(),
  }));
}
