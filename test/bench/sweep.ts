/**
 * What looking after tables costs that need nothing: `npm run bench:sweep`, on the running stack
 * (`npm start` first). 1,000 tables (`BENCH_TABLES`) are registered; one sweep plans them, and the
 * sweeps that are measured (`BENCH_RUNS`, default 5) find them as they were. The sweep is the
 * worker's own workflow, under the policy `BENCH_POLICY` (default `upkeep`), asked for by hand.
 *
 * - `activitiesPerTable`: activities in the workflow's history ÷ tables. ≤ 0.05.
 * - `eventsPerTable`: events in that history ÷ tables.
 * - `sweepOfFloor`: median wall time of a sweep ÷ bare conditional requests for the same tables,
 *   sixteen at a time, measured in turn in this run.
 * Lower is better everywhere. The last line is one line of JSON.
 */
import { cpus, totalmem } from 'node:os';
import { readConfig } from '../../src/config.ts';
import { sweepWorkflowId } from '../../src/domain/ids.ts';
import { createObjectStore } from '../../src/storage/object-store.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { maintainNow } from '../../src/temporal/sweeps.ts';
import { atOnce, bareCatalog, freshCatalog, median, tableRef, time } from './health-parts.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const TABLES = Number(process.env.BENCH_TABLES ?? 1_000);
const POLICY = process.env.BENCH_POLICY ?? 'upkeep';
const WIDTH = 16;
const NAMES = Array.from({ length: TABLES }, (_, at) => `quiet_${String(at).padStart(4, '0')}`);

const config = readConfig();
const store = createObjectStore(config.storage);
const { client, close } = await connectTemporal(config.temporal);
const bare = bareCatalog(config);
const sweep = async () => {
  const [report] = await maintainNow(client, config.catalog.name, POLICY);
  if (report === undefined) throw new Error(`no sweep under ${POLICY}`);
  return report;
};

/** Since it was last continued as new, which a sweep of so few events does not cause. */
async function countEvents() {
  const handle = client.workflow.getHandle(sweepWorkflowId(config.catalog.name));
  const { events } = await handle.fetchHistory();
  const activities = (events ?? []).filter(
    (one) => one.activityTaskScheduledEventAttributes != null,
  );
  return { events: events?.length ?? 0, activities: activities.length };
}

try {
  await bare.createNamespace();
  await atOnce(WIDTH, NAMES, bare.create);
  const { catalog } = freshCatalog(config, store);
  const etags = new Map<string, string>();
  await atOnce(WIDTH, NAMES, async (name) => {
    const found = await catalog.loadTable(tableRef(config, name));
    if (found.etag !== null) etags.set(name, found.etag);
  });
  const firstMs = await time(sweep);
  const settled = await sweep();
  const before = await countEvents();
  const [sweeps, floors]: [number[], number[]] = [[], []];
  let stray = 0;
  let last = settled;
  for (let run = 0; run < RUNS; run += 1) {
    floors.push(
      await time(() =>
        atOnce(WIDTH, NAMES, async (name) => {
          stray += (await bare.conditional(name, etags.get(name) ?? '')) === 304 ? 0 : 1;
        }),
      ),
    );
    last = await sweep();
    // By the workflow's own clock: the command asks for the end only twice a second.
    sweeps.push(Date.parse(last.finishedAt) - Date.parse(last.startedAt));
  }
  const after = await countEvents();
  const { listed, quiet, due } = last;
  const per = (count: number) => Number((count / RUNS / listed).toFixed(4));
  const ratios = {
    activitiesPerTable: per(after.activities - before.activities),
    eventsPerTable: per(after.events - before.events),
    sweepOfFloor: Number((median(sweeps) / median(floors) / (listed / TABLES)).toFixed(2)),
  };
  const figures = {
    tables: TABLES,
    listed,
    quiet,
    due,
    firstMs,
    sweepMs: median(sweeps),
    floorMs: median(floors),
    notUnchanged: stray,
  };
  const machine = { cores: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30) };
  process.stdout.write(`${JSON.stringify({ bench: 'sweep', ratios, figures, machine })}\n`);
} finally {
  await atOnce(WIDTH, NAMES, bare.drop);
  store.close();
  await close();
}
