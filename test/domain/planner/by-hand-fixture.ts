/** The decision on what a person asks of a table. */
import type { HandRequest } from '../../../src/domain/hand-request.ts';
import type { TableHealth } from '../../../src/domain/health/health.ts';
import type { Decision } from '../../../src/domain/operation.ts';
import { planByHand } from '../../../src/domain/planner/hand-plan.ts';
import { DEFAULT_SETTINGS, type MaintenanceSettings } from '../../../src/domain/policy/policy.ts';
import { health, NOW_MS } from '../health/fixture.ts';

/** A compaction of which nothing is said. */
export const COMPACT_REQUEST = {
  kind: 'compact',
  strategy: 'binpack',
  columns: [],
  where: null,
  targetFileSizeBytes: null,
  engine: null,
} as const satisfies HandRequest;

/** Throws where it is not exactly one. */
export function decide(
  request: HandRequest,
  table: Partial<TableHealth> = {},
  settings: MaintenanceSettings = DEFAULT_SETTINGS,
): Decision {
  const { decisions } = planByHand({
    health: health(table),
    request,
    policy: { settings, origins: {} },
    pinned: [],
    consumers: { consumed: [], unreadable: [] },
    nowMs: NOW_MS,
  });
  const [decision, ...others] = decisions;
  if (decision === undefined || others.length > 0) throw new Error('one decision was expected');
  return decision;
}
