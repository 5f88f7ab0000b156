/** What the planner is told, from a catalog and a project of a few lines. */
import { describe, expect, test } from 'vitest';
import type { Ledger } from '../../../src/activities/ledger-port.ts';
import { type PlanningDeps, readConsumers } from '../../../src/activities/planning/inputs.ts';
import { planHandRequest } from '../../../src/activities/planning/planning.ts';
import type { Catalog, MeasureOptions, Project } from '../../../src/activities/ports.ts';
import { IcewrightError } from '../../../src/domain/errors.ts';
import type { HandRequest } from '../../../src/domain/hand-request.ts';
import type { TableHealth } from '../../../src/domain/health/health.ts';
import type { Model } from '../../../src/domain/model/model.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';
import { tableFromKey, tableKey } from '../../../src/domain/table.ts';
import { health, line, MB, NOW_MS } from '../../domain/health/fixture.ts';
import { COMPACT_REQUEST } from '../../domain/planner/by-hand-fixture.ts';

const RAW = 'lake.bronze.raw_orders';

describe('the tables that read a table', () => {
  /** Target → its health, or whether the catalog lists what it cannot load. */
  function depsOf(targets: Readonly<Record<string, TableHealth | 'listed' | 'absent'>>) {
    const keys = Object.keys(targets);
    let lists = 0;
    const catalog: Partial<Catalog> = {
      listTables: async () => {
        lists += 1;
        return keys.filter((key) => targets[key] !== 'absent').map(tableFromKey);
      },
      measureTable: async (table) => {
        const found = targets[tableKey(table)];
        if (typeof found === 'object') return found;
        throw new IcewrightError('TableNotFound', 'no such table');
      },
    };
    const models = keys.map(
      (key) => ({ target: tableFromKey(key), inputs: [RAW] }) as Partial<Model>,
    );
    const project: Partial<Project> = { models: async () => models as Model[] };
    const deps = { catalog, project } as Pick<PlanningDeps, 'catalog' | 'project'>;
    return { read: () => readConsumers(deps, RAW, NOW_MS), lists: () => lists };
  }

  const inputs = JSON.stringify({ [RAW]: '2' });
  const reader = health({
    table: 'lake.silver.orders',
    snapshots: line([1]).map((one) => ({ ...one, summary: { 'icewright.inputs': inputs } })),
  });

  test('are asked for their watermarks, and nothing else is', async () => {
    const { read, lists } = depsOf({ 'lake.silver.orders': reader });
    const consumed = [{ snapshotId: '2', consumer: 'lake.silver.orders' }];
    expect(await read()).toEqual({ consumed, unreadable: [] });
    expect(lists()).toBe(0);
  });

  test('do not count when they are not made yet, but do when they are lost', async () => {
    const { read, lists } = depsOf({
      'lake.silver.orders': reader,
      'lake.silver.later': 'absent',
      'lake.silver.lost': 'listed',
    });
    expect(await read()).toMatchObject({
      consumed: [{ consumer: 'lake.silver.orders' }],
      unreadable: ['lake.silver.lost'],
    });
    expect(lists()).toBe(1);
  });
});

describe('a request by hand', () => {
  /** What each measurement was asked for, with the table's own properties and one policy. */
  async function measured(request: HandRequest, properties: TableHealth['properties']) {
    const asked: MeasureOptions[] = [];
    const catalog: Partial<Catalog> = {
      measureTable: async (_table, options) => {
        asked.push(options);
        return health({ properties });
      },
    };
    const policy = {
      kind: 'maintenance',
      name: 'all',
      tables: [{ kind: 'glob', text: '*' }],
      settings: {
        compact: { targetFileSizeBytes: 256 * MB },
        overrides: { allow: ['compact.*'] },
      },
      origins: { 'compact.targetFileSizeBytes': { policy: 'all', file: 'all.yaml', line: 3 } },
    } as unknown as Policy;
    const project: Partial<Project> = { policies: async () => [policy], models: async () => [] };
    const ledger: Partial<Ledger> = {
      receiptsOfEach: async () => [],
      pauseEvents: async () => [],
      livePins: async () => [],
    };
    const deps = { catalog, project, ledger, nowMs: () => NOW_MS } as unknown as PlanningDeps;
    await planHandRequest(deps, RAW, request);
    return asked;
  }

  const own = { 'icewright.compact.target-file-size': '64MB' };
  test('is measured again where the table’s own properties change what is measured', async () => {
    const sizes = (await measured(COMPACT_REQUEST, own)).map((one) => one.targetFileSizeBytes);
    expect(sizes).toEqual([256 * MB, 64 * MB]);
  });

  test('is measured once where they change nothing of it', async () => {
    expect(await measured(COMPACT_REQUEST, {})).toHaveLength(1);
    const asked = { ...COMPACT_REQUEST, targetFileSizeBytes: 32 * MB };
    const sizes = (await measured(asked, own)).map((one) => one.targetFileSizeBytes);
    expect(sizes).toEqual([32 * MB]);
    const manifests = { kind: 'rewrite_manifests', engine: null } as const;
    expect((await measured(manifests, own)).map((one) => one.depth)).toEqual(['metadata']);
  });
});
