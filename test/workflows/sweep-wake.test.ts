import { describe, expect, it, vi } from 'vitest';
import { MaintenanceSweeper } from '../../src/workflows/maintenance-sweeper.ts';
import type { TableRequests } from '../../src/workflows/table-requests.ts';
import { HOUR_MS } from './sweep-scene.ts';

const MINUTE_MS = 60_000;

describe('when the sweep wakes', () => {
  it('looks at the policies within ten minutes, also where all are paused or far away', () => {
    vi.useFakeTimers({ now: HOUR_MS, toFake: ['Date'] });
    const clock = { intervalMs: HOUR_MS, lastDueMs: HOUR_MS, missed: 0 };
    const known = { clock, because: '', nextOpenMs: null, again: false, last: null };
    const wakeOf = (never: boolean) => {
      const state = { sweeps: 0, asked: [], policies: { upkeep: { ...known, never } } };
      const requests = {} as TableRequests;
      const sweeper = new MaintenanceSweeper({ catalog: 'c', state }, requests);
      sweeper.stale = false;
      return sweeper.nextWakeMs();
    };
    expect([wakeOf(true), wakeOf(false)]).toEqual([
      HOUR_MS + 10 * MINUTE_MS,
      HOUR_MS + 10 * MINUTE_MS,
    ]);
    vi.useRealTimers();
  });
});
