import { describe, expect, it } from 'vitest';
import { judgeDrift, ownPropertySteps, withOwnProperties } from '../../src/domain/drift.ts';
import type { TableHealth } from '../../src/domain/health/health.ts';
import type { Decision, Operation } from '../../src/domain/operation.ts';
import { factsOf } from '../../src/domain/table-facts.ts';
import { compact, healthOf, snapshotOf } from './table-fixture.ts';

const ONE = snapshotOf('1', 'append');
const TWO = snapshotOf('2', 'append', { trino_query_id: 'q7' });
const SEEN = healthOf([ONE]);
const EXPIRE: Operation = { kind: 'expire_snapshots', snapshotIds: ['1'] };
const MANIFESTS: Operation = { kind: 'rewrite_manifests' };
const SET: Operation = { kind: 'set_properties', set: { owner: 'x' }, remove: ['gone'] };

function drift(operation: Operation, health: TableHealth, more = {}): readonly string[] {
  const plan = { tableUuid: SEEN.tableUuid, seen: factsOf(SEEN) };
  return judgeDrift({ plan, snapshotId: SEEN.snapshotId, operation, health, ...more });
}

describe('judgeDrift', () => {
  it('finds nothing where nothing moved', () => {
    for (const operation of [compact(), EXPIRE, MANIFESTS, SET]) {
      expect(drift(operation, SEEN)).toEqual([]);
    }
  });

  it('says what was committed since, when and by whom', () => {
    expect(drift(compact(), healthOf([ONE, TWO]))).toEqual([
      'snapshots were added: append 2 at 1970-01-01T00:00:00.002Z by trino query q7',
    ]);
    const many = [ONE, TWO, ...['3', '4', '5'].map((id) => snapshotOf(id, 'overwrite'))];
    expect(drift(MANIFESTS, healthOf(many))[0]).toMatch(/overwrite 5 at .*, and 1 more$/);
  });

  it('lets a rewrite that policies ask for pass appends, and nothing else', () => {
    const allowed = { appendsAllowed: true };
    const grown = (operation: string, summary = {}) =>
      healthOf([ONE, TWO, snapshotOf('3', operation, summary)]);
    const deletes: Operation = { kind: 'rewrite_deletes', where: null };
    for (const operation of [compact(), MANIFESTS, deletes]) {
      expect(drift(operation, grown('append'), allowed)).toEqual([]);
      expect(drift(operation, grown('append'))).toHaveLength(1);
      for (const other of ['overwrite', 'delete', 'replace']) {
        expect(drift(operation, grown(other), allowed)[0]).toContain(`${other} 3`);
      }
      expect(
        drift(operation, grown('append', { 'added-delete-files': '1' }), allowed),
      ).toHaveLength(1);
    }
    const elsewhere = healthOf([ONE, snapshotOf('3', 'append', {}, null)]);
    expect(drift(compact(), elsewhere, allowed)[0]).toContain('does not descend from 1');
    const altered = { ...grown('append'), formatVersion: 3 };
    expect(drift(compact(), altered, allowed)).toHaveLength(1);
  });

  it('lets an expiry of exact ids pass an append, but not a head that went elsewhere', () => {
    expect(drift(EXPIRE, healthOf([ONE, TWO]))).toEqual([]);
    const elsewhere = healthOf([ONE, snapshotOf('3', 'append', {}, null)]);
    expect(drift(EXPIRE, elsewhere)[0]).toContain('main is at 3, which does not descend from 1');
    expect(drift(EXPIRE, { ...healthOf([TWO]), snapshotId: '1' })).toEqual([
      'snapshots of the plan are gone already: 1',
    ]);
  });

  it('takes what its own plan has set before for seen, and nothing else', () => {
    const before = healthOf([ONE], { properties: { 'write.a': '1', 'write.gone': 'x' } });
    const set = {
      kind: 'set_properties',
      set: { 'write.a': '2' },
      remove: ['write.gone'],
    } as const;
    const none = { engine: 'spark', reasons: [], nextEligibleAt: null, estimate: null } as const;
    const decisions: readonly Decision[] = [
      { ...none, kind: 'set_properties', action: 'run', operation: set },
      { ...none, kind: 'compact', action: 'run', operation: compact() },
    ];
    const plan = { tableUuid: before.tableUuid, seen: factsOf(before), decisions };
    const found = (properties: TableHealth['properties'], carriedOut = ownPropertySteps(plan, 1)) =>
      judgeDrift({
        plan: withOwnProperties(plan, carriedOut),
        snapshotId: '1',
        operation: compact(),
        health: { ...before, properties },
      });
    expect(ownPropertySteps(plan, 0)).toEqual([]);
    expect(found({ 'write.a': '2' })).toEqual([]);
    expect(found({ 'write.a': '2' }, [])).toEqual(['properties were changed: write.a, write.gone']);
    expect(found({ 'write.a': '3', 'write.b': '1' })).toEqual([
      'properties were changed: write.a, write.b',
    ]);
  });

  it('tells a table that was replaced from one that was written', () => {
    const other = healthOf([ONE], { tableUuid: 'v' });
    for (const operation of [compact(), EXPIRE, SET]) {
      expect(drift(operation, other)).toEqual(['it is another table now: uuid v instead of u']);
    }
  });

  it('names schema, layout and properties, each only to whom it matters', () => {
    const changed = healthOf([ONE], {
      columns: [{ name: 'id', type: 'long' }],
      partitionFields: [{ name: 'id', source: 'id', transform: 'identity' }],
      properties: { owner: 'y', 'write.format.default': 'orc' },
      definition: { schemaId: 1, specId: 1, sortOrderId: 2 },
    });
    expect(drift(compact(), changed)).toEqual([
      'its schema is "1: id long" instead of "?: "',
      'its partition spec is "1: identity(id)" instead of "?: "',
      'its sort order is "2" instead of "0"',
      'properties were changed: write.format.default',
    ]);
    expect(drift(EXPIRE, changed)).toEqual([]);
    expect(drift(SET, changed)).toEqual(['properties were changed: owner']);
    const moved = healthOf([ONE], { location: 's3://lake/c', formatVersion: 3 });
    expect(drift(SET, moved)).toEqual([
      'its location is "s3://lake/c" instead of "s3://lake/a/b"',
      'its format version is "3" instead of "2"',
    ]);
  });
});
