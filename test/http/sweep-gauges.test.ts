import { expect, it } from 'vitest';
import { createMetrics } from '../../src/http/metrics.ts';
import { scrape } from './metrics-fixture.ts';

const TURN = { policy: 'upkeep', everyMs: 3_600_000, open: true, lastStartMs: 5_000 };
const CHOICE = {
  ...{ policy: 'upkeep', chosen: 3, left: 2 },
  spent: { bytes: 100, engineSeconds: 7 },
  budget: { bytes: 1_000, engineSeconds: null },
};
const NAME = 'icewright_maintenance_sweep_';

async function figures(metrics: ReturnType<typeof createMetrics>) {
  const found = Object.entries(await scrape(metrics)).filter(([name]) => name.startsWith(NAME));
  return Object.fromEntries(found.map(([name, value]) => [name.slice(NAME.length), value]));
}

it('tells of each sweep policy when it sweeps, what it chose and what its budget allows', async () => {
  const metrics = createMetrics();
  metrics.sweepsRead([TURN]);
  metrics.sweepChose(CHOICE);
  expect(await figures(metrics)).toEqual({
    'open{policy="upkeep"}': 1,
    'interval_seconds{policy="upkeep"}': 3_600,
    'last_start_timestamp_seconds{policy="upkeep"}': 5,
    'tables{policy="upkeep",choice="chosen"}': 3,
    'tables{policy="upkeep",choice="left"}': 2,
    'spent_bytes{policy="upkeep"}': 100,
    'budget_bytes{policy="upkeep"}': 1_000,
    'spent_engine_seconds{policy="upkeep"}': 7,
  });
});

it('says of a policy that never swept only when it would, and of one that is gone nothing', async () => {
  const metrics = createMetrics();
  metrics.sweepChose(CHOICE);
  metrics.sweepsRead([{ ...TURN, policy: 'other', open: false, lastStartMs: null }]);
  expect(await figures(metrics)).toEqual({
    'open{policy="other"}': 0,
    'interval_seconds{policy="other"}': 3_600,
  });
});
