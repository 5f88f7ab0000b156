import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildGraph, stagesOf } from '../../src/domain/model/graph.ts';
import { formatFault } from '../../src/project/faults.ts';
import { loadModels, requireModels } from '../../src/project/models.ts';

const OURS = fileURLToPath(new URL('../../models', import.meta.url));

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'icewright-models-'));
});
afterEach(() => rm(root, { recursive: true }));

async function load(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(root, 'models', name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return (await loadModels(join(root, 'models'), 'lake')).faults.map(formatFault);
}

const GOOD = `/*
target: silver.orders
engine: spark
materialization: merge
key: [order_id]
description: Orders.
columns:
  order_id: bigint
  total: { type: "decimal(10,2)" }
*/
SELECT 1 AS order_id, 2 AS total
`;
const changed = (from: string | RegExp, to: string) => ({
  'silver/orders.sql': GOOD.replace(from, to),
});

describe('the models of the shop', () => {
  test('are without fault and run in three stages', async () => {
    const { models, faults } = await loadModels(OURS, 'lake');
    expect(faults.map(formatFault)).toEqual([]);
    const stages = stagesOf(buildGraph(models)).map((stage) => stage.map((one) => one.name));
    expect(stages).toEqual([
      ['raw_clickstream', 'raw_customers', 'raw_order_items', 'raw_orders', 'raw_products'].map(
        (name) => `bronze.${name}`,
      ),
      ['customers', 'order_items', 'orders', 'products', 'sessions'].map(
        (name) => `silver.${name}`,
      ),
      ['gold.daily_revenue', 'gold.funnel_metrics', 'gold.user_features'],
    ]);
  });

  test('keep directly identifying fields in bronze', async () => {
    const models = await requireModels(OURS, 'lake');
    const direct = models.filter((one) => one.columns.some(({ pii }) => pii === 'direct'));
    expect(new Set(direct.map((one) => one.layer))).toEqual(new Set(['bronze']));
  });
});

describe('a model file', () => {
  test('is read with its place, its digest and everything in the header', async () => {
    expect(await load({ 'silver/orders.sql': GOOD })).toEqual([]);
    const [model] = await requireModels(join(root, 'models'), 'other');
    expect(model).toMatchObject({
      name: 'silver.orders',
      layer: 'silver',
      target: { catalog: 'other', namespace: 'silver', name: 'orders' },
      key: ['order_id'],
      sql: 'SELECT 1 AS order_id, 2 AS total',
      sqlLine: 11,
      file: 'silver/orders.sql',
    });
    expect(model?.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    [
      'a key nobody knows',
      ['materialization:', 'matrialization:'],
      [
        '4:1: unknown key "matrialization"; did you mean "materialization"?',
        '"materialization": is missing',
      ],
    ],
    ['an engine nobody has', ['spark', 'sparkle'], ['3:9: "engine": "sparkle" is none of spark']],
    ['a wrong type', ['key: [order_id]', 'key: order_id'], ['5:6: "key": must be array']],
    ['a type that is none', ['bigint', 'bignit'], ['8:13: "order_id": "bignit" is not a type']],
    ['an unknown key of a column', ['{ type:', '{ typ:'], ['9:12: unknown key "typ"']],
    ['broken YAML', ['key: [order_id]', 'key: [order_id'], ['6:']],
    ['merge without key', ['key: [order_id]\n', ''], ['4:18: merge needs a "key"']],
    [
      'a key that is no column',
      ['[order_id]', '[order_di]'],
      ['5:7: "order_di" is none of the columns; did you mean "order_id"?'],
    ],
    [
      'another path',
      ['silver.orders', 'silver.order'],
      ['2:9: "silver.order" does not fit the file: its path asks for silver.orders'],
    ],
    ['a Trino merge', ['engine: spark', 'engine: trino'], ['4:18: merge needs engine spark']],
    [
      'a stray partition',
      ['columns:', 'partitioning: [day(att)]\ncolumns:'],
      ['7:16: "att" is none of the columns'],
    ],
    ['no SELECT', ['SELECT 1 AS order_id, 2 AS total', ''], ['followed by no SELECT']],
    ['a semicolon', ['AS total', 'AS total;'], ['11:33: take the ; away']],
    ['a macro that is none', ['2 AS total', '{{inputs()}} AS total'], ['11:23: not a macro']],
    [
      'an undeclared input',
      ['2 AS', "{{input('bronze.x')}} AS"],
      ['11:23: "bronze.x" is not among the inputs of the header'],
    ],
    [
      'two checks in one gate',
      ['columns:', 'gates: [{ not_null: [total], unique: [total] }]\ncolumns:'],
      ['a gate names exactly one check'],
    ],
    ['no header', [/\/\*[\s\S]*\*\/\n/, ''], ['1:1: begins with no header']],
  ] as const)('%s is named at its place', async (_, [from, to], expected) => {
    const faults = await load(changed(from, to));
    for (const [index, text] of expected.entries()) {
      expect(faults[index]).toContain('models/silver/orders.sql:');
      expect(faults.join('\n')).toContain(text);
    }
  });
});

describe('models together', () => {
  const model = (layer: string, name: string, inputs: readonly string[] = []) => ({
    [`${layer}/${name}.sql`]: GOOD.replace('silver.orders', `${layer}.${name}`)
      .replace('columns:', `inputs: [${inputs.join(', ')}]\ncolumns:`)
      .replace('2 AS', inputs.map((one) => `{{input('${one}')}}`).join(' + ') || '2 AS'),
  });

  test('an unknown input is named with what may be meant', async () => {
    const faults = await load({
      ...model('silver', 'orders'),
      ...model('gold', 'revenue', ['silver.order']),
    });
    expect(faults).toEqual([
      'models/gold/revenue.sql:7:10: no model makes the input lake.silver.order; ' +
        'did you mean "lake.silver.orders"?; a table from outside belongs under "sources"',
    ]);
  });

  test('a cycle is named in full, at an input of it', async () => {
    const faults = await load({
      ...model('silver', 'a', ['silver.c']),
      ...model('silver', 'b', ['silver.a']),
      ...model('silver', 'c', ['silver.b']),
    });
    expect(faults).toEqual([
      'models/silver/b.sql:7:10: the models form a cycle: ' +
        'silver.a → silver.b → silver.c → silver.a',
    ]);
  });

  test('one table has one model, also where names differ in case only', async () => {
    const faults = await load({
      ...model('silver', 'orders'),
      'silver/Orders.sql': GOOD.replace('silver.orders', 'silver.Orders'),
    });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain('is already the target of silver/Orders.sql');
  });

  test('a faulty model does not make its readers faulty', async () => {
    const faults = await load({
      ...changed('bigint', 'bignit'),
      ...model('gold', 'revenue', ['silver.orders']),
    });
    expect(faults).toHaveLength(1);
  });

  test('a file outside the layers and a directory that is not there are refused', async () => {
    expect(await load({ 'platinum/x.sql': GOOD, 'y.sql': GOOD })).toEqual([
      'models/platinum/x.sql:1:1: a model lies in models/<layer>/, layer one of bronze, silver, gold',
      'models/y.sql:1:1: a model lies in models/<layer>/, layer one of bronze, silver, gold',
    ]);
    await expect(requireModels(join(root, 'models'), 'lake')).rejects.toMatchObject({
      code: 'ModelInvalid',
    });
    await expect(loadModels(join(root, 'none'), 'lake')).rejects.toThrow(
      /not a readable directory/,
    );
  });
});
