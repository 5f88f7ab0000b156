/**
 * What the second reader costs: `npm run bench:verify`; needs Python with `venv`, and no stack. One
 * Parquet file of BENCH_ROWS rows (zstandard, five columns) on the local disk: reading is compared,
 * not the store. Medians of BENCH_RUNS, in turn in this run; lower is better.
 *
 * - `ofDuckDb`: every byte looked at for one subject ÷ DuckDB on one thread, which looks for the same
 *   key in its column and for the same two texts in the two columns of text. Aim: ≤ 1.
 * - `hundredOfOne`: a hundred subjects in one pass ÷ one subject. Aim: ≤ 1.5.
 * - `memoryMb`: above idle, while a hundred are sought. Aim: ≤ 300.
 * The last line is one line of JSON.
 */
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import type { VersionedStore } from '../../src/verify/ports.ts';
import { verifyTable } from '../../src/verify/verify-table.ts';
import { openDuckDb, openZoo } from '../peers/python.ts';
import { inputOf, LOCATION, METADATA, metadataJson } from '../verify/fixture.ts';
import { createMemoryStore } from '../verify/memory-store.ts';

const ROWS = Number(process.env.BENCH_ROWS ?? 1_000_000);
const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const HUNDRED = 100;

const folder = await mkdtemp(join(tmpdir(), 'icewright-bench-'));
const zoo = await openZoo();
const duckDb = await openDuckDb();
try {
  process.stderr.write(`writing ${ROWS} rows …\n`);
  await zoo({ dir: folder, rows: ROWS, values: {}, others: {} });
  const path = join(folder, 'large.parquet');
  const { size } = await stat(path);
  const mapping = {
    table: 't',
    action: 'delete' as const,
    because: null,
    match: { customer_id: ['customer_id'] },
    holds: {},
  };
  const verify = async (subjects: number) => {
    const begin = performance.now();
    const sought = Array.from({ length: subjects }, (_, index) => subjectOf(index));
    const verified = await verifyTable(
      inputOf({ mapping, subjects: sought }),
      fileStore(path, size),
    );
    const [first] = verified.values();
    if (first?.rowsRead !== ROWS || first.tracesFound > 0)
      throw new Error('the bench reads wrongly');
    return performance.now() - begin;
  };
  await verify(1);
  const idleMb = process.resourceUsage().maxRSS / 1024;
  const [one, hundred, peer]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < RUNS; run += 1) {
    one.push(await verify(1));
    hundred.push(await verify(HUNDRED));
    peer.push(await askDuckDb(path));
  }
  const memoryMb = Math.round(process.resourceUsage().maxRSS / 1024);
  report({
    size,
    one: median(one),
    hundred: median(hundred),
    peer: median(peer),
    idleMb,
    memoryMb,
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}

function subjectOf(index: number) {
  const values = {
    customer_id: [String(1_000 + index)],
    email: [`nobody.${index}@example.net`],
    full_name: [`Nobody Whosoever ${index}`],
  };
  return { requestId: `r${index}`, values };
}

async function askDuckDb(path: string): Promise<number> {
  const { values } = subjectOf(0);
  const like = (column: string) =>
    [values.email[0], values.full_name[0]]
      .map((text) => `${column} ILIKE '%${text}%'`)
      .join(' OR ');
  const sql = `SELECT count(*) FROM '${path}' WHERE customer_id = ${values.customer_id[0]}
    OR ${like('email')} OR ${like('note')}`;
  const answer = (await duckDb({ sql, threads: 1, runs: 1 })) as { readonly ms: readonly number[] };
  return answer.ms[0] as number;
}

/** One data file on the disk, and the table's metadata. */
function fileStore(path: string, size: number): VersionedStore {
  const metadata = createMemoryStore();
  metadata.put(METADATA, metadataJson());
  const uri = `${LOCATION}/data/large.parquet`;
  return {
    async *listVersions(prefix) {
      yield* metadata.listVersions(prefix);
      yield { uri, versionId: 'null', isLatest: true, isDeleteMarker: false, sizeBytes: size };
    },
    headVersion: (other, version) => metadata.headVersion(other, version),
    readRange: async (other, version, { start, end }) => {
      if (other !== uri) return metadata.readRange(other, version, { start, end });
      const file = await open(path);
      try {
        const { buffer } = await file.read(Buffer.allocUnsafe(end - start), 0, end - start, start);
        return buffer;
      } finally {
        await file.close();
      }
    },
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] as number;
}

interface Figures {
  readonly size: number;
  readonly one: number;
  readonly hundred: number;
  readonly peer: number;
  readonly idleMb: number;
  readonly memoryMb: number;
}

function report({ size, one, hundred, peer, idleMb, memoryMb }: Figures): void {
  const round = (value: number) => Math.round(value * 100) / 100;
  const figures = {
    rows: ROWS,
    megabytes: round(size / 2 ** 20),
    oneMs: round(one),
    hundredMs: round(hundred),
    duckDbMs: round(peer),
    megabytesPerSecond: round(size / 2 ** 20 / (one / 1_000)),
    rowsPerSecond: Math.round(ROWS / (one / 1_000)),
    idleMb: round(idleMb),
    memoryMb,
  };
  const ratios = { ofDuckDb: round(one / peer), hundredOfOne: round(hundred / one) };
  const machine = { cores: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30) };
  process.stderr.write(
    `${figures.megabytesPerSecond} MB/s, ${figures.rowsPerSecond} rows/s; ${ratios.ofDuckDb} of DuckDB\n`,
  );
  process.stdout.write(`${JSON.stringify({ bench: 'verify', ratios, figures, machine })}\n`);
}
