import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outputFiles, spanOf } from '../../../src/domain/planner/makespan.ts';
import { MB } from '../health/fixture.ts';
import { table, tune, ZSTD } from './tuning-fixture.ts';

describe('whatever the table', () => {
  const parts = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 20_000 })),
    { maxLength: 60 },
  );
  const cores = fc.integer({ min: 1, max: 5_000 });
  const target = fc.integer({ min: 1, max: 4_096 }).map((size) => size * MB);

  it('the choice is the same each time, and bounded', () => {
    fc.assert(
      fc.property(parts, cores, target, (rows, count, targetFileSizeBytes) => {
        const found = table(rows, ZSTD);
        const operation = { targetFileSizeBytes };
        const { tuning } = tune(found, count, { operation });
        expect(tune(found, count, { operation }).tuning).toEqual(tuning);
        const size = tuning?.outputFileSizeBytes;
        if (size !== undefined) {
          expect(size).toBeGreaterThanOrEqual(64 * MB);
          expect(size).toBeLessThan(targetFileSizeBytes);
          expect(size).toBeLessThan(Math.max(...rows.map(([, mb]) => mb)) * MB);
        }
        const groups = tuning?.concurrentFileGroups;
        if (groups !== undefined) {
          expect(groups).toBeGreaterThan(5);
          expect(groups).toBeLessThanOrEqual(Math.min(256, rows.length));
        }
      }),
    );
  });

  it('is predicted to end no later, with no more files than the policy leaves in peace', () => {
    fc.assert(
      fc.property(parts, cores, (rows, count) => {
        const found = table(rows);
        const size = tune(found, count).tuning?.outputFileSizeBytes;
        if (size === undefined) return;
        const loads = rows
          .filter(([files]) => files >= 5)
          .map(([files, mb]) => ({ files, bytes: mb * MB, deleteFiles: 0 }));
        const used = Math.min(1_024, count);
        const span = (bytes: number) => spanOf(loads, bytes, used).bytes;
        expect(span(size)).toBeLessThan(span(512 * MB));
        for (const load of loads) {
          const most = Math.max(4, outputFiles(load, 512 * MB));
          expect(outputFiles(load, size)).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it('more cores never mean fewer groups at once, nor a later end', () => {
    fc.assert(
      fc.property(parts, cores, cores, (rows, one, other) => {
        const found = table(rows);
        const [few, many] = one < other ? [one, other] : [other, one];
        const at = (count: number) => tune(found, count).tuning?.concurrentFileGroups ?? 5;
        expect(at(many)).toBeGreaterThanOrEqual(at(few));
        const loads = rows.map(([files, mb]) => ({ files, bytes: mb * MB, deleteFiles: 0 }));
        const span = (count: number) => spanOf(loads, 512 * MB, count).bytes;
        expect(span(many)).toBeLessThanOrEqual(span(few) * (1 + 1e-9));
      }),
    );
  });
});
