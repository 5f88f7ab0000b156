import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** What a snapshot takes after a commit of Spark's, nearly. */
const SNAPSHOT_BYTES = 1_200;
const SNAPSHOTS = Math.ceil((100 * 2 ** 20) / SNAPSHOT_BYTES);

let server: Server;
let url: string;

function snapshot(id: number): string {
  const summary = {
    operation: 'append',
    'total-data-files': '7',
    'total-delete-files': '0',
    'total-records': '70',
    'total-files-size': '700',
    'partitions.day=2024-02-29': 'x'.repeat(SNAPSHOT_BYTES - 300),
  };
  return JSON.stringify({
    'snapshot-id': id,
    'parent-snapshot-id': id - 1,
    'timestamp-ms': id,
    'manifest-list': `s3://lake/a/t/metadata/snap-${id}-1-0e7c0f0e-0000-4c1e-9fb9.avro`,
    summary,
  });
}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    if (request.url?.startsWith('/v1/config')) {
      response.end('{}');
      return;
    }
    response.write(`{"metadata":{"format-version":2,"table-uuid":"u","location":"s3://b/t",
      "last-updated-ms":1,"schemas":[{"schema-id":0,"fields":[]}],"snapshots":[`);
    for (let id = 1; id <= SNAPSHOTS; id += 1) {
      const free = response.write(`${id === 1 ? '' : ','}${snapshot(id)}`);
      if (!free) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end(`],"current-snapshot-id":${SNAPSHOTS}}}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

it('a table of 100 MB of snapshots is measured in a heap of 128 MB', async () => {
  const source = join(import.meta.dirname, '../../src/iceberg/rest-catalog.ts');
  const script = `
    import { createRestCatalog } from ${JSON.stringify(source)};
    const catalog = createRestCatalog({ name: 'lake', url: ${JSON.stringify(url)} });
    const table = { catalog: 'lake', namespace: 'a', name: 't' };
    const health = await catalog.measureTable(table, { nowMs: 1e6, depth: 'metadata' });
    const { snapshots, metadataBytes, dataFiles, snapshotId } = health;
    console.log(JSON.stringify([snapshots.length, metadataBytes > 1e8, dataFiles, snapshotId]));`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--max-old-space-size=128',
    '--input-type=module',
    '--eval',
    script,
  ]);
  expect(JSON.parse(stdout)).toEqual([SNAPSHOTS, true, 7, String(SNAPSHOTS)]);
});
