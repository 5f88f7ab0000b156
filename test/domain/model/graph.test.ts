import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IcewrightError } from '../../../src/domain/errors.ts';
import {
  buildGraph,
  findCycle,
  nightOf,
  selectModels,
  stagesOf,
} from '../../../src/domain/model/graph.ts';
import { modelOf } from './fixture.ts';

const SHOP = [
  modelOf('gold.revenue', { inputs: ['lake.silver.orders', 'lake.silver.items'] }),
  modelOf('gold.funnel', { inputs: ['lake.silver.clicks'] }),
  modelOf('silver.orders', { inputs: ['lake.bronze.orders'] }),
  modelOf('silver.items', { inputs: ['lake.bronze.items'] }),
  modelOf('silver.clicks', { inputs: ['lake.bronze.clicks'] }),
  modelOf('bronze.orders', { engine: 'trino' }),
  modelOf('bronze.items', { engine: 'trino' }),
  modelOf('bronze.clicks', { engine: 'trino' }),
];
const namesOf = (models: readonly { name: string }[]) => models.map((model) => model.name);

describe('stagesOf', () => {
  test('groups what may run at the same time', () => {
    expect(stagesOf(buildGraph(SHOP)).map(namesOf)).toEqual([
      ['bronze.clicks', 'bronze.items', 'bronze.orders'],
      ['silver.clicks', 'silver.items', 'silver.orders'],
      ['gold.funnel', 'gold.revenue'],
    ]);
  });

  test('names the cycle', () => {
    const looped = [
      modelOf('silver.a', { inputs: ['lake.silver.c'] }),
      modelOf('silver.b', { inputs: ['lake.silver.a'] }),
      modelOf('silver.c', { inputs: ['lake.silver.b'] }),
      modelOf('gold.d', { inputs: ['lake.silver.c'] }),
    ];
    expect(findCycle(buildGraph(looped))).toEqual(['silver.a', 'silver.b', 'silver.c', 'silver.a']);
    expect(() => stagesOf(buildGraph(looped))).toThrow('silver.a → silver.b → silver.c → silver.a');
    const own = buildGraph([modelOf('silver.a', { inputs: ['lake.silver.a'] })]);
    expect(findCycle(own)).toEqual(['silver.a', 'silver.a']);
  });

  test('puts every model after all that it reads, whatever the graph', () => {
    const edges = fc.array(fc.array(fc.nat(19), { maxLength: 4 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(edges, (reads) => {
        const models = reads.map((from, index) =>
          modelOf(`silver.m${index}`, {
            inputs: from.filter((one) => one < index).map((one) => `lake.silver.m${one}`),
          }),
        );
        const place = new Map(
          stagesOf(buildGraph(models)).flatMap((stage, at) => stage.map((one) => [one.name, at])),
        );
        expect(place.size).toBe(models.length);
        for (const { name, inputs } of models) {
          for (const input of inputs) {
            expect(place.get(input.slice('lake.'.length))).toBeLessThan(place.get(name) as number);
          }
        }
      }),
    );
  });
});

describe('selectModels', () => {
  const select = (...patterns: string[]) => namesOf(selectModels(SHOP, patterns));

  test('takes names, stars, ancestors and descendants, in running order', () => {
    expect(select()).toHaveLength(8);
    expect(select('silver.orders')).toEqual(['silver.orders']);
    expect(select('gold.*', 'bronze.items')).toEqual([
      'bronze.items',
      'gold.funnel',
      'gold.revenue',
    ]);
    expect(select('bronze.orders+')).toEqual(['bronze.orders', 'silver.orders', 'gold.revenue']);
    expect(select('+gold.funnel')).toEqual(['bronze.clicks', 'silver.clicks', 'gold.funnel']);
    expect(select('+silver.items+')).toEqual(['bronze.items', 'silver.items', 'gold.revenue']);
  });

  test('refuses a pattern that selects nothing, and says what there is', () => {
    expect(() => select('silver.order')).toThrow(IcewrightError);
    expect(() => select('silver.order')).toThrow(
      /no model is called "silver.order".*silver.orders/,
    );
    expect(() => select('silver?orders')).toThrow(/no model/);
  });
});

describe('nightOf', () => {
  test('says what each model waits for, also across a model that is left out', () => {
    const night = nightOf(SHOP, ['bronze.orders', 'gold.revenue']);
    expect(night).toEqual([
      { model: 'bronze.orders', table: 'lake.bronze.orders', engine: 'trino', after: [] },
      {
        model: 'gold.revenue',
        table: 'lake.gold.revenue',
        engine: 'spark',
        after: ['bronze.orders'],
      },
    ]);
  });
});
