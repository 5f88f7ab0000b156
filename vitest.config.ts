/** Three speeds: no server, a Temporal server, the whole stack. Each is one `--project`. */
import { defineConfig } from 'vitest/config';

const TEMPORAL = ['test/workflows/**/*.test.ts', 'test/replay/**/*.test.ts'];
const LIVE = ['test/live/**/*.test.ts', 'test/faults/**/*.test.ts'];

const MINUTE_MS = 60_000;

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
          name: 'live',
          include: LIVE,
          globalSetup: ['test/live/global-setup.ts'],
          // One stack for all: files that kill its services must not meet files that use them.
          pool: 'forks',
          fileParallelism: false,
          // Patience, not speed: a machine that others use as well takes several times as long.
          testTimeout: 15 * MINUTE_MS,
          hookTimeout: 15 * MINUTE_MS,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
