import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { effectivePolicy } from '../../src/domain/policy/effective.ts';
import { policyJsonSchema } from '../../src/domain/policy/policy.schema.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy/policy.ts';
import { parseTable } from '../../src/domain/table.ts';
import { formatFault } from '../../src/project/faults.ts';
import { loadPolicies, readPolicy, requirePolicies } from '../../src/project/policies.ts';

const SHIPPED = join(import.meta.dirname, '../../policies');

function faults(text: string): readonly string[] {
  return readPolicy(text, 'p.yaml').faults.map(formatFault);
}

function nightly(...lines: readonly string[]): string {
  return ['kind: nightly', 'name: night', ...lines].join('\n');
}

function maintenance(...lines: readonly string[]): string {
  return ['kind: maintenance', 'name: m', 'tables: bronze.*', ...lines].join('\n');
}

describe('the shipped policies', () => {
  test('have no fault', async () => {
    const { policies, faults: found } = await loadPolicies(SHIPPED);
    expect(found).toEqual([]);
    const names = policies.map((one) => one.name).sort();
    expect(names).toEqual(['bronze', 'defaults', 'nightly', 'shop', 'silver', 'upkeep']);
  });

  test('say what the built-in defaults say, except bronze by Trino and silver by Spark', async () => {
    const { policies } = await loadPolicies(SHIPPED);
    const gold = effectivePolicy(policies, parseTable('gold.daily_revenue', 'lake'));
    expect(gold.settings).toEqual(DEFAULT_SETTINGS);
    const silver = effectivePolicy(policies, parseTable('silver.orders', 'lake'));
    expect(silver.settings.compact).toMatchObject({ engine: 'spark', strategy: 'binpack' });
    const bronze = effectivePolicy(policies, parseTable('bronze.raw_orders', 'lake'));
    expect(bronze.settings.compact).toMatchObject({ engine: 'trino', strategy: 'binpack' });
  });

  test('each tells editors its schema, and the schema is the one that the code checks by', async () => {
    for (const name of ['maintenance', 'bronze', 'silver', 'nightly', 'upkeep']) {
      const text = await readFile(join(SHIPPED, `${name}.yaml`), 'utf8');
      expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./policy.schema.json');
    }
    const checkedIn = JSON.parse(await readFile(join(SHIPPED, 'policy.schema.json'), 'utf8'));
    expect(checkedIn).toEqual(policyJsonSchema());
  });
});

describe('a nightly', () => {
  test('is read with its defaults', () => {
    expect(readPolicy(nightly('at: "02:30"', 'zone: Europe/Berlin'), 'p.yaml').policy).toEqual({
      kind: 'nightly',
      name: 'night',
      file: 'p.yaml',
      cron: '30 2 * * *',
      zone: 'Europe/Berlin',
      models: [],
      maintenance: true,
      paused: false,
      concurrency: 4,
      missed: 'skip',
    });
  });

  test('takes days, or cron', () => {
    const days = readPolicy(nightly('at: "02:00"', 'days: [mon, fri]', 'zone: UTC'), 'p.yaml');
    expect(days.policy).toMatchObject({ cron: '0 2 * * 1,5' });
    const cron = readPolicy(nightly('cron: "*/5 1-3 * * *"', 'zone: UTC'), 'p.yaml');
    expect(cron.policy).toMatchObject({ cron: '*/5 1-3 * * *' });
  });

  test.each([
    [
      ['at: "24:00"', 'zone: UTC'],
      'p.yaml:3:5: "at": "24:00" is not a time of day: write for example "02:00"',
    ],
    [
      ['at: "02:00"', 'zone: +02:00'],
      'p.yaml:4:7: "zone": "+02:00" is not an IANA time zone: write for example Europe/Berlin or UTC',
    ],
    [
      ['at: "02:00"', 'zone: Mars/Base'],
      'p.yaml:4:7: "zone": "Mars/Base" is not an IANA time zone: write for example Europe/Berlin or UTC',
    ],
    [['at: "02:00"'], 'p.yaml:1:1: "zone": is missing'],
    [['zone: UTC'], 'p.yaml:1:1: a nightly needs either "at" or "cron"'],
    [
      ['cron: "0 25 * * *"', 'zone: UTC'],
      'p.yaml:3:7: "cron": "25" is no hour: 0 to 23, *, a-b or */n',
    ],
    [
      ['cron: "0 2 * * *"', 'zone: UTC', 'days: [mon]'],
      'p.yaml:5:7: "days": "days" goes with "at"; with "cron" write the days there',
    ],
    [
      ['at: "02:00"', 'zone: UTC', 'days: [tuesday]'],
      'p.yaml:5:8: "days": "tuesday" is none of sun, mon, tue, wed, thu, fri, sat',
    ],
    [
      ['at: "02:00"', 'zone: UTC', 'concurrency: 0'],
      'p.yaml:5:14: "concurrency": "0" is too small: at least 1',
    ],
    [
      ['at: "02:00"', 'zone: UTC', 'paused: "no"'],
      'p.yaml:5:9: "paused": must be boolean, not string',
    ],
    [
      ['at: "02:00"', 'zone: UTC', 'pausd: true'],
      'p.yaml:5:1: unknown key "pausd"; did you mean "paused"?',
    ],
  ])('with %j has its fault', (lines, message) => {
    expect(faults(nightly(...lines))).toEqual([message]);
  });
});

describe('maintenance', () => {
  test('knows of each of its fields where it was written', () => {
    const { policy } = readPolicy(
      maintenance('compact:', '  targetFileSize: 128MB', 'expire: {keepLast: 9, olderThan: 3d}'),
      'policies/m.yaml',
    );
    expect(policy).toMatchObject({
      settings: {
        compact: { targetFileSizeBytes: 134_217_728 },
        expire: { olderThanMs: 259_200_000 },
      },
      origins: {
        'compact.targetFileSizeBytes': { policy: 'm', file: 'policies/m.yaml', line: 5 },
        'expire.keepLast': { line: 6 },
        'expire.olderThanMs': { line: 6 },
      },
    });
  });

  test('takes triggers of any depth', () => {
    const { policy } = readPolicy(
      maintenance(
        'compact:',
        '  trigger:',
        '    any:',
        '      - {metric: small_files, atLeast: 100}',
        '      - all:',
        '          - {metric: file_reduction, atLeast: 4}',
        '          - {metric: small_files_ratio, atLeast: 0.5}',
      ),
      'p.yaml',
    );
    expect(policy).toMatchObject({
      settings: {
        compact: {
          trigger: { kind: 'any', of: [{ kind: 'at_least' }, { kind: 'all', of: [{}, {}] }] },
        },
      },
    });
  });

  test.each([
    [['compact: {enbled: true}'], 'p.yaml:4:11: unknown key "enbled"; did you mean "enabled"?'],
    [['exprie: {}'], 'p.yaml:4:1: unknown key "exprie"; did you mean "expire"?'],
    [
      ['compact: {targetFileSize: 512}'],
      'p.yaml:4:27: "targetFileSize": a size is a text such as 512MB',
    ],
    [
      ['compact: {targetFileSize: 512 megs}'],
      'p.yaml:4:27: "targetFileSize": "512 megs" is not a size: write for example 512MB',
    ],
    [
      ['compact: {targetFileSize: 1KB}'],
      'p.yaml:4:27: "targetFileSize": a target file size is at least 1MB',
    ],
    [
      ['expire: {olderThan: a week}'],
      'p.yaml:4:21: "olderThan": "a week" is not a duration: write for example 7d, 12h or 30m',
    ],
    [['expire: {keepLast: 0}'], 'p.yaml:4:20: "keepLast": "0" is too small: at least 1'],
    [['expire: {keepLast: 1.5}'], 'p.yaml:4:20: "keepLast": must be int, not number'],
    [['compact: {engine: flink}'], 'p.yaml:4:19: "engine": "flink" is none of auto, spark, trino'],
    [
      ['compact: {engine: sparc}'],
      'p.yaml:4:19: "engine": "sparc" is none of auto, spark, trino; did you mean "spark"?',
    ],
    [['compact: {strategy: zorder}'], 'p.yaml:4:21: "strategy": sort and zorder need "columns"'],
    [
      ['compact: {strategy: binpack, columns: [a]}'],
      'p.yaml:4:39: "columns": bin-pack takes no columns',
    ],
    [
      ['compact: {trigger: {metric: manifests}}'],
      'p.yaml:4:20: "trigger": a trigger is either metric and atLeast, or any, or all',
    ],
    [['compact: {trigger: {any: [{metric: manifest, atLeast: 1}]}}'], 'did you mean "manifests"?'],
    [['compact: true'], 'p.yaml:4:10: "compact": must be object, not boolean'],
    [['compact:'], 'p.yaml:4:9: "compact": must be object, not empty'],
  ])('with %j has its fault', (lines, message) => {
    const found = faults(maintenance(...lines));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  test('names every fault of a file at once, from the top down', () => {
    const found = readPolicy(
      'kind: maintenance\nname: Big\ntables: [bronze.*, /((/, {layer: brnze}]\nexpire: {keepLast: x}\n',
      'p.yaml',
    ).faults;
    expect(found.map((one) => [one.line, one.column])).toEqual([
      [2, 7],
      [3, 20],
      [3, 34],
      [4, 20],
    ]);
  });
});

describe('a file that is no policy', () => {
  test.each([
    ['', 'p.yaml:1:1: is empty: write "kind: maintenance, nightly, sweep or privacy" first'],
    ['name: x\n', 'p.yaml:1:1: "kind" is missing: maintenance, nightly, sweep or privacy'],
    ['kind: nigthly\n', 'p.yaml:1:7: unknown kind "nigthly"; did you mean "nightly"?'],
    [
      'kind: banana\n',
      'p.yaml:1:7: unknown kind "banana": write maintenance, nightly, sweep or privacy',
    ],
    ['- kind: nightly\n', 'p.yaml:1:1: "kind" is missing: maintenance, nightly, sweep or privacy'],
  ])('%j', (text, message) => {
    expect(faults(text)).toEqual([message]);
  });

  test('bad YAML is told with its place, and nothing else of that file', () => {
    expect(faults('kind: nightly\nname: "open\n')[0]).toMatch(/^p\.yaml:\d+:\d+: \S/);
    expect(faults(nightly('name: again'))).toEqual(['p.yaml:3:1: Map keys must be unique']);
  });

  test('aliases that multiply are refused, not expanded', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [name, from] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf'].map((pair) => [...pair])) {
      bomb.push(`${name}: &${name} [${Array(10).fill(`*${from}`).join(', ')}]`);
    }
    const found = faults(bomb.join('\n'));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/alias/i);
  });
});

describe('a directory', () => {
  const made: string[] = [];
  afterEach(async () => {
    for (const one of made.splice(0)) await rm(one, { recursive: true });
  });

  async function directory(files: Readonly<Record<string, string>>): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'icewright-policies-'));
    made.push(path);
    for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
    return path;
  }

  const GOOD = nightly('at: "02:00"', 'zone: UTC');

  test('two files with one name: the second is the fault, and names the first', async () => {
    const path = await directory({ 'a.yaml': GOOD, 'b.yml': GOOD });
    const { policies, faults: found } = await loadPolicies(path);
    expect(policies).toHaveLength(1);
    expect(found.map(formatFault)).toEqual([
      `${join(path, 'b.yml')}:2:7: the name "night" is already taken by ${join(path, 'a.yaml')}: ` +
        'policies need different names',
    ]);
  });

  test('other files are passed over, a directory with a policy name is a fault', async () => {
    const path = await directory({ 'a.yaml': GOOD, 'README.md': 'kind: x', 'c.json': '{}' });
    expect(await requirePolicies(path)).toHaveLength(1);
    await mkdir(join(path, 'd.yaml'));
    expect((await loadPolicies(path)).faults[0]?.message).toMatch(/cannot be read/);
  });

  test('with faults is refused as a whole, naming each', async () => {
    const path = await directory({ 'a.yaml': 'kind: x', 'b.yaml': 'kind: y', 'c.yaml': GOOD });
    await expect(requirePolicies(path)).rejects.toMatchObject({
      code: 'PolicyInvalid',
      details: { faults: [{ line: 1 }, { line: 1 }] },
    });
  });

  test('that is not there is named', async () => {
    await expect(loadPolicies('no-such-dir')).rejects.toMatchObject({
      code: 'PolicyInvalid',
      message: expect.stringContaining('no-such-dir'),
    });
  });
});
