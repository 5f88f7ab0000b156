/**
 * Three speeds: no server, a Temporal server, the whole stack. Each is one `--project`; the last is
 * two, `live` and `live-alone`.
 */
import { defineConfig } from 'vitest/config';

const TEMPORAL = ['test/workflows/**/*.test.ts', 'test/replay/**/*.test.ts'];
const LIVE = ['test/live/**/*.test.ts'];

/** Live tests that kill a service, or look at what all others do as well: one at a time, at the end. */
const ALONE = [
  'bad-input',
  'durable',
  'erasure',
  'erasure-killed',
  'faults-killed',
  'health-broken',
  'ledger-migrate',
  'lock',
  'night',
  'policies',
  'prometheus',
  'shop-days',
  'shop-models',
  'spark-lost',
  'stack-lifecycle',
  'stack-services',
  'sweep',
  'verify-lake',
].map((name) => `test/live/${name}.test.ts`);

const MINUTE_MS = 60_000;

const live = {
  // One stack for all of them.
  globalSetup: 'test/live/global-setup.ts',
  pool: 'forks',
  // Patience, not speed: a machine that others use as well takes several times as long.
  testTimeout: 15 * MINUTE_MS,
  hookTimeout: 15 * MINUTE_MS,
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...TEMPORAL, ...LIVE],
          // Property tests and starting processes share the cores with each other.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'temporal',
          include: TEMPORAL,
          pool: 'forks',
          testTimeout: 2 * MINUTE_MS,
          hookTimeout: 3 * MINUTE_MS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...live,
          name: 'live',
          include: LIVE,
          exclude: ALONE,
          // Two wait for engines better than one; more would only wait for each other.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...live,
          name: 'live-alone',
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
