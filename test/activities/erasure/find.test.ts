/** Requests that wait are found together; who is whose is told by the engine's rows. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import type { ErasureDeps } from '../../../src/activities/erasure/deps.ts';
import { createFinder, lookAgain } from '../../../src/activities/erasure/find.ts';
import type { Statement } from '../../../src/domain/engine.ts';
import type { SubjectValues } from '../../../src/domain/erasure/privacy.ts';
import type { ErasureRequest } from '../../../src/domain/erasure/request.ts';
import { IcewrightError } from '../../../src/domain/errors.ts';
import * as compileErasure from '../../../src/engines/spark/compile-erasure.ts';
import { erasureRequest } from '../../proof/fixture.ts';
import { depsOf, TABLE, type World, worldOf } from './world.ts';

const SUBJECT = {
  name: 'customer',
  key: 'customer_id',
  sources: [],
  identifiers: [
    { name: 'customer_id', type: 'bigint', links: true, trace: false },
    { name: 'email', type: 'string', links: false, trace: true },
  ],
  tables: [
    {
      ...{ table: TABLE, action: 'delete', because: null },
      match: { customer_id: ['customer_id'] },
      holds: { email: ['email'] },
    },
  ],
};
const KEYS: Readonly<Record<string, string>> = { e1: '41', e2: '42' };

interface Scene {
  readonly world: World;
  readonly deps: ErasureDeps;
  readonly values: Map<string, SubjectValues>;
  /** Statements, by what they ask for. */
  readonly asked: string[];
  /** Of whom an e-mail address stands in rows of others as well. */
  sharedBy: readonly number[];
  /** The engine's answer to whoever asks about more than one. */
  failsTogether: Error | null;
}

function sceneOf(...requests: ErasureRequest[]): Scene {
  const world = worldOf(...requests);
  const values = new Map<string, SubjectValues>();
  for (const { requestId } of requests) {
    values.set(requestId, { customer_id: [KEYS[requestId] as string] });
  }
  const plain = depsOf(world);
  const erasures = {
    ...plain.erasures,
    listRequests: async () => world.requests.filter((one) => one.state === 'requested'),
    readValues: async (id: string) => ({ keyId: 'k', bytes: Buffer.from(id) }),
    saveValues: async () => {},
  };
  const scene: Scene = {
    world,
    values,
    asked: [],
    sharedBy: [],
    failsTogether: null,
    deps: {
      ...plain,
      erasures,
      privacy: async () => [{ subjects: [SUBJECT] }],
      open: (id: string) => values.get(id),
      seal: (id: string, found: SubjectValues) => values.set(id, found),
      catalog: {
        ...plain.catalog,
        measureTable: async (table: never, options: never) => ({
          ...(await plain.catalog.measureTable(table, options)),
          columns: [
            { name: 'customer_id', type: 'long' },
            { name: 'email', type: 'string' },
          ],
        }),
      },
      spark: {
        compiler: compileErasure,
        runner: {
          run: async (statement: Statement) => {
            return { rows: answer(scene, statement), release: async () => {} };
          },
        },
      },
    } as unknown as ErasureDeps,
  };
  return scene;
}

function answer(scene: Scene, { sql, parameters }: Statement): readonly object[] {
  const people = new Set(
    (JSON.parse(parameters?.wanted ?? '[]') as { s: number }[]).map(({ s }) => s),
  );
  if (scene.failsTogether !== null && people.size > 1) throw scene.failsTogether;
  const all = [...people];
  if (sql.includes('ANTI JOIN')) {
    scene.asked.push('shared');
    return scene.sharedBy.map((s) => ({ s, identifier: 'email', value: `p${s}@example.org` }));
  }
  if (sql.includes('AS tells')) {
    scene.asked.push('values');
    return all.map((s) => ({ s, identifier: 'email', value: `p${s}@example.org` }));
  }
  scene.asked.push('rows');
  return all.map((s) => ({ s, n: s + 2, files: 1, bytes: 9 }));
}

const find = (scene: Scene, ids: readonly string[]) => {
  const finder = createFinder();
  return Promise.all(
    ids.map((id) => new MockActivityEnvironment().run(() => finder.find(scene.deps, id))),
  );
};
const waiting = () => [erasureRequest({ requestId: 'e1' }), erasureRequest({ requestId: 'e2' })];

describe('requests that wait to be found', () => {
  it('cost one reading of each ref, and each gets what is theirs', async () => {
    const scene = sceneOf(...waiting());
    await find(scene, ['e1', 'e2']);
    // No linking identifier came of the first round: there is no second.
    expect(scene.asked).toEqual(['values', 'shared', 'rows']);
    expect(scene.world.requests.map(({ state }) => state)).toEqual([
      'awaiting_approval',
      'awaiting_approval',
    ]);
    const rows = scene.world.requests.map(({ found }) => found[0]?.refs[0]?.rows);
    expect(rows).toEqual([2, 3]);
    expect([...scene.values.values()]).toEqual([
      { customer_id: ['41'], email: ['p0@example.org'] },
      { customer_id: ['42'], email: ['p1@example.org'] },
    ]);
  });

  it('do not wait for one whose identifiers lead to other people', async () => {
    const scene = sceneOf(...waiting());
    scene.failsTogether = new IcewrightError('PolicyInvalid', 'it joins more than one person');
    await find(scene, ['e2']);
    expect(scene.world.requests.map(({ state }) => state)).toEqual([
      'requested',
      'awaiting_approval',
    ]);
  });

  it('are left alone while they are paused', async () => {
    const [one, two] = waiting() as [ErasureRequest, ErasureRequest];
    const scene = sceneOf({ ...one, pausedBy: 'cli:ana' }, two);
    await find(scene, ['e2']);
    expect(scene.world.requests.map(({ state }) => state)).toEqual([
      'requested',
      'awaiting_approval',
    ]);
  });
});

describe('what rows of others hold as well', () => {
  it('is not sought, and the request names it', async () => {
    const scene = sceneOf(...waiting());
    scene.sharedBy = [1];
    await find(scene, ['e1']);
    expect([...scene.values.values()].map(({ email }) => email)).toEqual([['p0@example.org'], []]);
    const shared = scene.world.requests.map(({ sharedIdentifiers }) => sharedIdentifiers);
    expect(shared).toEqual([[], ['email']]);
  });

  it('stays sought once forgetting has begun with it', async () => {
    const request = erasureRequest({ requestId: 'e1', state: 'forgetting', forgettingAt: 'then' });
    const scene = sceneOf(request);
    scene.values.set('e1', { customer_id: ['41'], email: ['p0@example.org'] });
    scene.sharedBy = [0];
    const environment = new MockActivityEnvironment();
    await environment.run(() => lookAgain(scene.deps, [request]));
    expect(scene.values.get('e1')?.email).toEqual(['p0@example.org']);
  });
});

it('an error of the engine names nobody of those who are looked for', async () => {
  const scene = sceneOf(...waiting());
  scene.failsTogether = new IcewrightError('EngineRejected', 'bad row 42 of 41');
  const failed = find(scene, ['e1']);
  await expect(failed).rejects.toThrow('bad row – of –');
});
