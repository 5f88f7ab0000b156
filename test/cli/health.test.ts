/** `icewright health` as a process, against a catalog of a few lines; and what it draws. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scoreLine, tellHealth } from '../../src/cli/health-report.ts';
import { sparkline } from '../../src/cli/sparkline.ts';
import { alignColumns, type Terminal } from '../../src/cli/terminal.ts';
import { PROJECT_DIR } from '../../src/config.ts';
import { failedReport, reportOf } from '../../src/domain/health/report.ts';
import { health, NOW_MS, partition } from '../domain/health/fixture.ts';
import { type CatalogStub, type Reply, startCatalogStub } from '../iceberg/catalog-stub.ts';

let stub: CatalogStub;
beforeEach(async () => {
  stub = await startCatalogStub(({ url }) => answer(url.replace(/\?.*$/, '')));
});
afterEach(() => stub.close());

/** Tables `good` and `other` share a location; `lost` is listed, but its metadata is gone. */
function answer(path: string): Reply {
  if (path === '/v1/config') return { body: { defaults: {}, overrides: {} } };
  if (path === '/v1/namespaces') return { body: { namespaces: [['a']] } };
  if (path === '/v1/namespaces/a/tables') {
    const names = ['good', 'lost', 'other'];
    return { body: { identifiers: names.map((name) => ({ namespace: ['a'], name })) } };
  }
  if (/\/tables\/(good|other)$/.test(path)) return { body: { metadata: METADATA } };
  return { status: 404, body: { error: { message: 'no metadata', type: 'NotFoundException' } } };
}

const METADATA = {
  'format-version': 2,
  'table-uuid': 'f2a1c0de-0000-4000-8000-000000000001',
  location: 's3://lake/a/good',
  'last-updated-ms': 1,
  'current-schema-id': 0,
  schemas: [{ 'schema-id': 0, type: 'struct', fields: [] }],
  'partition-specs': [{ 'spec-id': 0, fields: [] }],
  'default-spec-id': 0,
  snapshots: [],
};

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param signal sent when the output first matches */
function icewright(
  words: readonly string[],
  stop?: { readonly at: RegExp; readonly signal: NodeJS.Signals },
): Promise<Ended> {
  const child = spawn(process.execPath, [join(PROJECT_DIR, 'src/cli/main.ts'), ...words], {
    env: {
      ...process.env,
      ICEWRIGHT_HOME: join(PROJECT_DIR, '.icewright', 'nowhere'),
      ICEWRIGHT_CATALOG_URL: stub.url,
      // Nobody listens there: history is missing, health is not.
      ICEWRIGHT_LEDGER_URL: 'postgres://127.0.0.1:1/none',
    },
  });
  let [stdout, stderr] = ['', ''];
  let stopped = false;
  child.stdout.on('data', (text: Buffer) => {
    stdout += text;
    if (stop === undefined || stopped || !stop.at.test(stdout)) return;
    stopped = child.kill(stop.signal);
  });
  child.stderr.on('data', (text: Buffer) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.on('exit', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

describe('icewright health', () => {
  it('lists a broken table with its error and every field, and exits 0', async () => {
    const { exitCode, stdout, stderr } = await icewright(['health', '--json']);
    expect(exitCode).toBe(0);
    const { engineQueries, tables } = JSON.parse(stdout);
    expect(engineQueries).toBe(0);
    const [lost, good, other] = tables;
    expect([lost.table, good.table, other.table]).toEqual([
      'lake.a.lost',
      'lake.a.good',
      'lake.a.other',
    ]);
    expect(lost).toMatchObject({
      error: { code: 'TableNotFound', message: expect.stringContaining('lake.a.lost') },
      findings: [{ code: 'unreadable', severity: 'critical' }],
      score: null,
    });
    expect(good).toMatchObject({ error: null, dataFiles: 0, snapshots: 0, refs: [] });
    expect(good.score.value).toBeTypeOf('number');
    for (const field of CONTRACT) {
      expect(lost).toHaveProperty(field);
      expect(good).toHaveProperty(field);
    }
    const shared = good.findings.filter((one: { code: string }) => one.code === 'location_shared');
    expect(shared[0].message).toContain('lake.a.other');
    expect(stderr).toContain('no history: the ledger at 127.0.0.1:1/none');
  });

  it('shows people the same', async () => {
    const { exitCode, stdout } = await icewright(['health']);
    expect(exitCode).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toMatch(/^table +score +records +files +files, 7 d +small/);
    expect(lines[1]).toMatch(/^lake\.a\.lost +! +\?/);
    expect(stdout).toMatch(/\ncritical lake\.a\.lost: unreadable: /);
    expect(stdout).toMatch(/\ncritical lake\.a\.good: location_shared: /);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('--watch draws until %s and exits 0', async (signal) => {
    const words = ['health', 'a.*', '--watch', '--every', '1s'];
    // Three pages.
    const stop = { at: /(Ctrl-C ends[\s\S]*){3}/, signal };
    const { exitCode, stdout } = await icewright(words, stop);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('lake.a.good');
  });

  it('a single table that is not there is a fault of the command', async () => {
    const { exitCode, stdout } = await icewright(['health', 'a.none', '--json']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'TableNotFound' } });
  });

  it.each([
    [['--watch', '--json'], /draws for people/],
    [['--every', '5s'], /belongs to --watch/],
    [['--watch', '--every', '10ms'], /expected 1s or more/],
    [['--since', 'tomorrow'], /is not a duration/],
    [['--last', '--now'], /ask for different things/],
    [['a.b', '--interval', '5m'], /the whole catalog/],
    [['--last', '--watch'], /the whole catalog/],
  ])('%j is refused', async (words, message) => {
    const { exitCode, stderr } = await icewright(['health', ...words]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});

const CONTRACT = [
  ...['table', 'tableUuid', 'snapshotId', 'formatVersion', 'records', 'dataFiles', 'totalBytes'],
  ...['smallFiles', 'deleteFiles', 'manifests', 'partitions', 'snapshots', 'oldestSnapshotAgeMs'],
  ...['refs', 'filesPerPartitionMax', 'deleteRatio', 'clusteringDepth', 'detail', 'findings'],
];

describe('the table for people', () => {
  const span = { fromMs: NOW_MS - 14_000, toMs: NOW_MS };
  const point = (agoMs: number, dataFiles: number) => ({
    atMs: NOW_MS - agoMs,
    dataFiles,
    smallFiles: 0,
    totalBytes: 0,
    snapshots: 0,
    deleteFiles: 0,
    score: 100,
    smallBytes: null,
    manifests: null,
    deleteRatio: null,
    backlogFiles: null,
  });

  it('has the files of the span, the last one as measured now, and findings below', () => {
    const lines: string[] = [];
    const same = (text: string) => text;
    const terminal = {
      print: (line = '') => lines.push(line),
      table: (headings, rows) => lines.push(...alignColumns(headings, rows)),
      red: same,
    } as Partial<Terminal> as Terminal;
    const measured = health({ partitionHealth: [partition('1', 8, 1_000)] });
    const failure = { code: 'StorageUnavailable', message: 'gone', atMs: NOW_MS } as const;
    const tables = [
      { report: failedReport('lake.a.b', null, failure), health: null, history: [point(7_000, 3)] },
      {
        report: reportOf(measured),
        health: measured,
        history: [point(99_000, 4), point(5_000, 2)],
      },
    ];
    tellHealth(terminal, tables, span);
    expect(lines[1]).toMatch(/^lake\.a\.b +! +\? +\? {8}█{8}$/);
    expect(lines[2]).toContain('▅▅▅▅▅▅▅▅▃▃▃▃▃█');
    expect(lines.slice(3)).toEqual([
      '',
      'critical lake.a.b: unreadable: it cannot be measured (StorageUnavailable): gone',
    ]);
  });

  it('draws a line from nothing to the most', () => {
    expect(sparkline([0, 5, null, 10])).toBe('▁▅ █');
    expect(sparkline([0, 0])).toBe('▁▁');
    expect(sparkline([])).toBe('');
  });

  it('says what took off how much of the score', () => {
    const parts = [
      { name: 'small_files', penalty: 30, because: '60 of 80 are small' },
      { name: 'deletes', penalty: 0, because: 'none' },
    ];
    expect(scoreLine({ value: 70, parts })).toBe(
      'score 70 of 100: −30 small files (60 of 80 are small)',
    );
    expect(scoreLine({ value: 100, parts: [] })).toBe('score 100 of 100');
    expect(scoreLine(null)).toBe('score unknown');
  });
});
