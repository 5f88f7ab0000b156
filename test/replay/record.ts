/**
 * Records histories from the running stack: of each workflow the longest of the newest hundred
 * closed runs, and every other kind of end; sweeps never end, and are recorded as they
 * are. Names: `<workflow>.<end>.<version>.json.gz`. An argument such as `2026-11-21T13:50:00Z`
 * leaves out what began before.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { PROJECT_DIR, readConfig } from '../../src/config.ts';
import { openDataConverter } from '../../src/temporal/codec.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { ensureTemporal } from '../../stack/provision/parts.ts';
import { decryptHistory } from './decrypt.ts';

const FOLDER = fileURLToPath(new URL('histories', import.meta.url));
const { version } = JSON.parse(readFileSync(join(PROJECT_DIR, 'package.json'), 'utf8')) as {
  version: string;
};
const since = process.argv[2] ?? '2000-01-01T00:00:00Z';
const { temporal } = readConfig();
const dataConverter = openDataConverter(temporal.payloadKeys);
const binary = await ensureTemporal(() => {});
const { client, close } = await connectTemporal(temporal);

const ENDING = [
  ...['nightly', 'transformRun', 'table', 'tableMaintenance', 'tableTransform'],
  ...['erasure', 'erasureBatch', 'tableErasure'],
];
for (const type of [...ENDING, 'health', 'sweep']) {
  const longest = new Map<string, { id: string; runId: string; length: number }>();
  const ended = ENDING.includes(type) ? 'AND ExecutionStatus != "Running"' : '';
  const query = `WorkflowType = "${type}" ${ended} AND StartTime >= "${since}"`;
  let seen = 0;
  for await (const one of client.workflow.list({ query })) {
    if (++seen > 100) break;
    const end = one.status.name.toLowerCase();
    const { workflowId: id, runId, historyLength: length } = one;
    if (length > (longest.get(end)?.length ?? -1)) longest.set(end, { id, runId, length });
  }
  for (const [end, { id, runId, length }] of longest) {
    const server = ['--address', temporal.address, '--namespace', temporal.namespace];
    const words = ['workflow', 'show', '-w', id, '-r', runId, '-o', 'json'];
    const text = execFileSync(binary, [...words, ...server], {
      maxBuffer: 256 * 2 ** 20,
    });
    const name = `${type}.${end}.${version}.json.gz`;
    // Stack traces of failures name the checkout.
    const clear = await decryptHistory(JSON.parse(text.toString()), dataConverter);
    const plain = JSON.stringify(clear, null, 2).replaceAll(PROJECT_DIR, '');
    writeFileSync(join(FOLDER, name), gzipSync(plain, { level: 9 }));
    process.stdout.write(`${name}: ${length} events of ${id}\n`);
  }
}
await close();
