/** A table that others write to while it is read is read again before anything is said against it. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import type { ErasureDeps } from '../../../src/activities/erasure/deps.ts';
import type { VerifiedTable } from '../../../src/activities/erasure/types.ts';
import { verifyTable } from '../../../src/activities/erasure/verify.ts';
import { erasureRequest } from '../../proof/fixture.ts';

const TABLE = 'lake.a.t';

interface Scene {
  readonly traces: number;
  readonly writes: boolean;
  /** What an earlier reading told. */
  readonly suspects?: readonly string[];
}

async function verify(scene: Scene) {
  const saved: unknown[] = [];
  let version = 0;
  const traces = Array.from({ length: scene.traces }, (_, at) => ({ pathHash: String(at) }));
  const seen = { table: TABLE, traces, tracesFound: scene.traces };
  const deps = {
    privacy: async () => [{ subjects: [{ name: 'customer', tables: [{ table: TABLE }] }] }],
    open: () => ({}),
    files: {
      version: async () => {
        if (scene.writes) version += 1;
        return { metadataLocation: `s3://lake/a/t/metadata/${version}.json` };
      },
    },
    verifier: { verify: async () => new Map([['e1', seen]]) },
    erasures: {
      listRequests: async () => [erasureRequest({ state: 'verifying', batchId: 'b' })],
      readValues: async () => ({ keyId: 'k', bytes: new Uint8Array() }),
      listFiles: async () => [],
      saveTableWork: async (work: unknown) => void saved.push(work),
    },
  } as unknown as ErasureDeps;
  const { suspects = [] } = scene;
  const input = { batchId: 'b', table: TABLE, suspects };
  const environment = new MockActivityEnvironment();
  const told = (await environment.run(() => verifyTable(deps, input))) as VerifiedTable;
  const waits = told.waitingFor !== null;
  return { failed: told.failed, waits, saved: saved.length, suspects: told.suspects };
}

it.each([
  ['quiet, and clean', { traces: 0, writes: false }, { failed: [], waits: false, saved: 1 }],
  ['quiet, with a trace', { traces: 1, writes: false }, { failed: ['e1'], waits: false, saved: 1 }],
  ['written to, and clean', { traces: 0, writes: true }, { failed: [], waits: false, saved: 1 }],
  ['written to, with a trace', { traces: 1, writes: true }, { failed: [], waits: true, saved: 0 }],
])('%s', async (_, scene, told) => {
  expect(await verify(scene)).toMatchObject(told);
});

it('the same trace twice is one, whoever else writes; another one may be gone the next time', async () => {
  const busy = { traces: 1, writes: true };
  const { suspects = [] } = await verify(busy);
  expect(suspects).toHaveLength(1);
  const again = { failed: ['e1'], waits: false, saved: 1 };
  expect(await verify({ ...busy, suspects })).toMatchObject(again);
  const other = { failed: [], waits: true, saved: 0 };
  expect(await verify({ ...busy, suspects: ['0123'] })).toMatchObject(other);
});
