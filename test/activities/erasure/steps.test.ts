/** What the steps of an erasure leave behind, whatever dies, moves or is renamed in between. */
import { beforeEach, describe, expect, it } from 'vitest';
import { isCounted } from '../../../src/domain/erasure/count-oracle.ts';
import { counted, DIED, StepScene, TABLE } from './step-scene.ts';

let scene: StepScene;
beforeEach(() => {
  scene = new StepScene();
  scene.commit('append', counted(100, 3));
});

const last = async (tries: number) => (await scene.job(tries)).at(-1);
const PROVEN = { before: 100, matched: 3, after: 97, matchedAfter: 0 };

describe('the oracle of counts', () => {
  it('counts what the deletion removed, before anything is expired', async () => {
    expect(await last(1)).toMatchObject({ status: 'done' });
    expect(scene.progress?.oracle).toEqual({ ...PROVEN, othersBefore: '97', othersAfter: '97' });
    expect(scene.progress?.matched).toBe(3);
    const at = (text: string) => scene.said.findLastIndex((one) => one.includes(text));
    expect(at('count(*)')).toBeLessThan(at('expire_snapshots'));
  });

  it('fails for good when rows of others went, also after others have written', async () => {
    scene.loses = 2;
    const broken = { status: 'failed', error: { code: 'InvariantBroken' } };
    expect(await last(1)).toMatchObject(broken);
    scene.loses = 0;
    scene.commit('append', counted(120, 0));
    expect(await last(2)).toMatchObject(broken);
    expect(scene.said.join()).not.toContain('expire_snapshots');
    const { oracle } = scene.progress ?? {};
    expect(oracle !== undefined && isCounted(oracle)).toBe(false);
  });

  it('compares with the snapshot before the deletion when the job died right after it', async () => {
    scene.loses = 2;
    scene.dies = { at: 'DELETE', error: DIED };
    await expect(scene.job(1)).rejects.toThrow('died');
    expect(await last(2)).toMatchObject({
      status: 'failed',
      error: { code: 'InvariantBroken', message: expect.stringContaining('others_unchanged') },
    });
  });

  it('takes what others write before, within and after for what it is', async () => {
    await scene.step('survey', `batch-1.${TABLE}.0.1`);
    scene.commit('append', counted(110, 4));
    await scene.step('delete', `batch-1.${TABLE}.0.1`);
    scene.commit('append', counted(116, 0));
    expect(await last(2)).toMatchObject({ status: 'done' });
    expect(scene.progress?.oracle).toMatchObject({ before: 110, matched: 4, after: 106 });
    expect(scene.progress?.matched).toBe(4);
  });

  it('deletes again what came in meanwhile', async () => {
    await scene.step('survey', `batch-1.${TABLE}.0.1`);
    await scene.step('delete', `batch-1.${TABLE}.0.1`);
    scene.commit('append', counted(98, 1));
    await expect(scene.step('count', `batch-1.${TABLE}.0.1`)).rejects.toMatchObject({
      code: 'TableBusy',
    });
    expect(await last(2)).toMatchObject({ status: 'done' });
    expect(scene.progress).toMatchObject({ matched: 4, oracle: { after: 97, matchedAfter: 0 } });
  });

  it('proves nothing when the snapshot before is gone', async () => {
    await scene.step('survey', `batch-1.${TABLE}.0.1`);
    scene.commit('append', counted(110, 4));
    await scene.step('delete', `batch-1.${TABLE}.0.1`);
    scene.snapshots = scene.snapshots.slice(-1);
    expect(await last(2)).toMatchObject({ status: 'failed', error: { code: 'InvariantBroken' } });
  });

  it('fails for good when the deletion cannot be told from one of others', async () => {
    scene.byMetadata = true;
    for (const tries of [1, 2]) {
      expect(await last(tries)).toMatchObject({
        status: 'failed',
        error: { code: 'InvariantBroken', message: expect.stringContaining('cannot be told') },
      });
    }
  });

  it('leaves the snapshots in which another erasure is still to count', async () => {
    scene.otherProgress = { unproven: true };
    await expect(scene.job(1)).rejects.toMatchObject({ code: 'TableBusy' });
    expect(scene.snapshots.length).toBeGreaterThan(1);
    scene.otherProgress = { unproven: false };
    expect(await last(2)).toMatchObject({ status: 'done' });
    expect(scene.snapshots).toHaveLength(1);
  });

  it('keeps its proof over a second round, whatever others wrote and expired since', async () => {
    await scene.job(1);
    scene.commit('overwrite', counted(50, 0));
    scene.snapshots = scene.snapshots.slice(-1);
    expect(await last(2)).toMatchObject({ status: 'done' });
    expect(scene.progress?.oracle).toMatchObject(PROVEN);
  });
});

describe('another table under the same name', () => {
  const OLD = 's3://lake/a/old/data/1.parquet';

  beforeEach(async () => {
    scene.named = [OLD];
    scene.objects = [{ uri: OLD, versionId: 'v1' }];
    scene.location = 's3://lake/a/old';
    await scene.step('survey', `batch-1.${TABLE}.0.1`);
    scene.uuid = 'two';
    scene.location = 's3://lake/a/t';
    scene.named = [];
  });

  it.each(['survey', 'delete', 'count', 'expire', 'purge'] as const)(
    'is left alone by %s, and so are the files of the one before',
    async (step) => {
      await expect(scene.step(step, `batch-1.${TABLE}.1.1`)).rejects.toMatchObject({
        code: 'SafetyRefused',
        message: expect.stringContaining('is another table (two)'),
      });
      expect(scene.objects).toHaveLength(1);
    },
  );

  it('is begun with when no version of those is left', async () => {
    scene.objects = [];
    expect(await last(2)).toMatchObject({ status: 'done' });
    expect(scene.progress?.tableUuid).toBe('two');
    expect([...scene.files.values()].every(({ removedAt }) => removedAt !== null)).toBe(true);
  });
});

describe('the purge', () => {
  it('takes all versions of old files, also outside of the place where the table is now', async () => {
    const [moved, near] = [
      's3://lake/a/before/data/1.parquet',
      's3://lake/a/before/data/1.parquet2',
    ];
    const [set, gone] = ['s3://lake/a/t/data/2.parquet', 's3://lake/a/t/data/3.parquet'];
    const marker = { isDeleteMarker: true, isLatest: true };
    scene.named = [moved, set];
    scene.objects = [
      { uri: moved, versionId: 'v1', isLatest: false },
      { uri: moved, versionId: 'm1', ...marker },
      { uri: near, versionId: 'v1' },
      { uri: set, versionId: 'v1', isLatest: false },
      { uri: set, versionId: 'm1', ...marker },
      { uri: gone, versionId: 'v1', isLatest: false },
      { uri: gone, versionId: 'm1', ...marker },
    ];
    await scene.job(1);
    expect(scene.objects.map(({ uri }) => uri)).toEqual([near]);
    const known = [...scene.files.values()].map(({ path, versionIds }) => [path, versionIds]);
    expect(known).toEqual([
      [moved, ['v1', 'm1']],
      [set, ['v1', 'm1']],
    ]);
  });
});

describe('manifests', () => {
  const TARGET = 'commit.manifest.target-size-bytes';

  it('are rewritten for each partition spec, also one alone', async () => {
    scene.manifests = [
      { spec: 1, bytes: 9_000, removed: 0 },
      { spec: 0, bytes: 7_001, removed: 2 },
    ];
    await expect(scene.job(1)).rejects.toMatchObject({ code: 'TableBusy' });
    const calls = scene.said.filter(
      (one) => one.includes('rewrite_manifests') || one.includes(TARGET),
    );
    expect(calls.map((one) => /spec_id => \d|= '\d+'|UNSET/.exec(one)?.[0])).toEqual([
      'spec_id => 0',
      'spec_id => 1',
      "= '3501'",
      'spec_id => 0',
      'UNSET',
    ]);
  });

  it('leave the target as it was, whenever the worker dies', async () => {
    scene.properties = { [TARGET]: '8388608' };
    scene.manifests = [{ spec: 0, bytes: 7_000, removed: 1 }];
    scene.dies = { at: `'${TARGET}' = '3500'`, error: DIED };
    await expect(scene.job(1)).rejects.toThrow('died');
    expect(scene.properties[TARGET]).toBe('3500');
    scene.manifests = [];
    await scene.job(2);
    expect(scene.properties[TARGET]).toBe('8388608');
  });
});

describe('equality deletes that are left', () => {
  it.each([
    [0, 0],
    [1, 1],
    [2, 2],
  ])('go when every data file is younger: after %i rewrites', async (stubborn, rewrites) => {
    scene.deleteFiles = 1;
    scene.stubborn = stubborn;
    expect(await last(1)).toMatchObject({ status: 'done' });
    const said = scene.said.filter((one) => one.includes('use-starting-sequence-number'));
    expect(said).toHaveLength(rewrites);
  });
});
