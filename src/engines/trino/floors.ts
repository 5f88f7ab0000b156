import type { RetentionFloors } from '../../domain/catalog-traits.ts';
import type { EngineRunner } from '../../domain/engine.ts';
import { parseDuration } from '../../domain/units.ts';
import { quoteText } from './quote.ts';

/**
 * Asks Trino for the ages below which its catalog refuses to expire snapshots and to remove files.
 * Rejects as `runner.run` does.
 */
export async function readRetentionFloors(
  runner: EngineRunner,
  catalog: string,
): Promise<RetentionFloors> {
  const sql = `SHOW SESSION LIKE ${quoteText(`${catalog}.%min_retention`)}`;
  const key = `floors/${catalog}/${Date.now()}`;
  const result = await runner.run({ engine: 'trino', sql }, { key, session: 'floors' });
  const values = new Map(result.rows.map((row) => [String(row.Name), String(row.Value)]));
  await result.release();
  const floorOf = (name: string) => readDuration(values.get(`${catalog}.${name}`));
  return {
    expireSnapshotsMs: floorOf('expire_snapshots_min_retention'),
    removeOrphansMs: floorOf('remove_orphan_files_min_retention'),
  };
}

/** `7.00d`; `null`: absent, or in a unit that no floor is told in. */
function readDuration(text: string | undefined): number | null {
  return text !== undefined && /^\d+(\.\d+)?(ms|s|m|h|d)$/.test(text) ? parseDuration(text) : null;
}
