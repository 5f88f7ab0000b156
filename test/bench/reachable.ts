/**
 * What knowing every reachable file costs, without a server: `BENCH_FILES` (default 100,000) files in
 * manifests of 1,000, in memory, as Iceberg's writers make them.
 *
 * Ratios, lower is better: `ofDecode`, our walk with its set of paths ÷ only decoding the same
 * manifests with `avsc`; `setBytesPerFile`, what the set takes for each path.
 */
import { cpus } from 'node:os';
import avro from 'avsc';
import { METADATA } from '../../src/iceberg/metadata.schema.ts';
import { readMetadata } from '../../src/iceberg/metadata.ts';
import { PathSet } from '../../src/iceberg/path-set.ts';
import { visitReachable } from '../../src/iceberg/reachable.ts';
import { encodeManifest, encodeManifestList } from '../iceberg/manifest-fixture.ts';

const FILES = Number(process.env.BENCH_FILES ?? 100_000);
const IN_MANIFEST = 1_000;
const BASE = 's3://lake/warehouse/sales/lineitem';

const objects = new Map<string, Buffer>();
const manifests: string[] = [];
for (let at = 0; at < FILES; at += IN_MANIFEST) {
  const files = Array.from({ length: Math.min(IN_MANIFEST, FILES - at) }, (_, index) => ({
    path: `${BASE}/data/day=${(at + index) % 365}/${at + index}-2f6d7a30-8f1e-00001.zst.parquet`,
  }));
  const uri = `${BASE}/metadata/${at}-m0.avro`;
  manifests.push(uri);
  objects.set(uri, await encodeManifest({ files }));
}
const list = `${BASE}/metadata/snap-1.avro`;
objects.set(list, await encodeManifestList(manifests.map((uri) => ({ uri }))));

const metadata = readMetadata(
  METADATA.parse({
    'format-version': 2,
    'table-uuid': 'u',
    location: BASE,
    'last-updated-ms': 1,
    snapshots: [{ 'snapshot-id': 1, 'timestamp-ms': 1, 'manifest-list': list }],
  }),
);
const readObject = async (uri: string) => objects.get(uri) as Buffer;
const metadataLocation = `${BASE}/metadata/1.metadata.json`;

async function walk() {
  const set = new PathSet();
  const startedAt = performance.now();
  await visitReachable({ metadata, metadataLocation, readObject }, (_, uri) => set.add(uri));
  return { ms: performance.now() - startedAt, set };
}

async function decode(): Promise<number> {
  const startedAt = performance.now();
  for (const uri of manifests) {
    const decoder = new avro.streams.BlockDecoder();
    decoder.on('data', () => undefined);
    const ended = new Promise((resolve) => decoder.on('end', resolve));
    decoder.end(objects.get(uri));
    await ended;
  }
  return performance.now() - startedAt;
}

await walk();
const idleMb = process.memoryUsage().rss / 2 ** 20;
const { ms, set } = await walk();
const walkMb = process.memoryUsage().rss / 2 ** 20 - idleMb;
const decodeMs = await decode();
const round = (value: number) => Number(value.toFixed(2));
process.stdout.write(
  `${JSON.stringify({
    bench: 'reachable',
    ratios: { ofDecode: round(ms / decodeMs), setBytesPerFile: round(set.bytes / set.size) },
    figures: {
      files: set.size,
      walkMs: Math.round(ms),
      decodeMs: Math.round(decodeMs),
      filesPerSecond: Math.round((set.size / ms) * 1_000),
      setMb: round(set.bytes / 2 ** 20),
      walkMb: round(walkMb),
    },
    machine: { cores: cpus().length, model: cpus()[0]?.model },
  })}\n`,
);
