/** What forbids forgetting in a table altogether, before anything of it is begun. */
import type { Blocker } from '../../domain/erasure/request.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { expiredUnasked } from '../../domain/planner/expiry-unasked.ts';
import { tableFromKey } from '../../domain/table.ts';
import { refuseSharedPlaces } from '../orphans/places.ts';
import type { ErasureDeps } from './deps.ts';

export type ObstacleDeps = Pick<ErasureDeps, 'catalog' | 'ledger' | 'files' | 'versions' | 'nowMs'>;

/**
 * Each of them would end an erasure half-way: the rows would be gone, their files would not.
 * Rejects with what a store or catalog fails with that may answer later.
 */
export async function obstaclesOf(
  deps: ObstacleDeps,
  health: Pick<TableHealth, 'table' | 'properties' | 'refs' | 'snapshots' | 'location'>,
): Promise<readonly Blocker[]> {
  const { table, properties, location } = health;
  const found: Blocker[] = [];
  if (properties['gc.enabled']?.toLowerCase() === 'false') found.push(gcBlocker(table));
  const unasked = expiredUnasked(health as TableHealth, deps.nowMs());
  if (unasked !== null) found.push(retentionBlocker(table, unasked));
  const shared = await sharedPlace(deps, table);
  if (shared !== null) found.push(shared);
  const locked = await deps.versions.findLock(`${location.replace(/\/+$/, '')}/`);
  if (locked !== null) found.push(lockBlocker(table, locked));
  return found;
}

/** A table that is mapped and cannot be read: nobody knows whether the subject is in it. */
export function unreachableBlocker(table: string, why: string): Blocker {
  return {
    table,
    kind: 'unreachable',
    name: table,
    because: `${table} cannot be read: ${why}`,
    remedy: 'repair it, then: icewright erase retry <requestId>',
    exception: null,
  };
}

function gcBlocker(table: string): Blocker {
  return {
    table,
    kind: 'gc_disabled',
    name: 'gc.enabled',
    because: 'gc.enabled is false: snapshots must not be expired, files may be shared',
    remedy:
      "remove the subject from the catalog's other branches and use its own garbage collection, " +
      'or record an exception',
    exception: null,
  };
}

function retentionBlocker(table: string, because: string): Blocker {
  const remedy = 'lift that retention, then: icewright erase retry <requestId>';
  return { table, kind: 'retention', name: 'retention', because, remedy, exception: null };
}

function lockBlocker(table: string, because: string): Blocker {
  return {
    table,
    kind: 'object_lock',
    name: 'object lock',
    because,
    remedy: 'wait until it ends or have it lifted, or record the legal ground as an exception',
    exception: null,
  };
}

/** What lies in two tables' places cannot be purged for one of them. */
async function sharedPlace(deps: ObstacleDeps, table: string): Promise<Blocker | null> {
  const ref = tableFromKey(table);
  try {
    await refuseSharedPlaces(deps, ref, await deps.files.version(ref));
    return null;
  } catch (error) {
    if (!(error instanceof IcewrightError) || error.code !== 'SafetyRefused') throw error;
    const name = String(error.details.other ?? table);
    const remedy = 'move one of the two tables, then: icewright erase retry <requestId>';
    const because = error.message;
    return { table, kind: 'shared_place', name, because, remedy, exception: null };
  }
}
