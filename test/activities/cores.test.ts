import { describe, expect, it } from 'vitest';
import { rememberCores } from '../../src/activities/cores.ts';

/** A Spark that answers what the test says, and a clock that the test moves. */
function open(answers: (number | null | Error)[], waitMs = 1_000) {
  let nowMs = 0;
  let asked = 0;
  const cores = rememberCores({
    nowMs: () => nowMs,
    waitMs,
    readSparkCores: async () => {
      const answer = answers[asked] ?? null;
      asked += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return {
    cores,
    asked: () => asked,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('what is known of the engines’ cores', () => {
  it('is asked once, and again after ten minutes', async () => {
    const { cores, asked, pass } = open([2, 8]);
    expect([await cores(), await cores()]).toEqual([{ spark: 2 }, { spark: 2 }]);
    expect(asked()).toBe(1);
    pass(600_000);
    // The figure of before does for this plan.
    expect(await cores()).toEqual({ spark: 2 });
    await new Promise(setImmediate);
    expect(await cores()).toEqual({ spark: 8 });
    expect(asked()).toBe(2);
  });

  it('one question serves all who ask at once', async () => {
    const { cores, asked } = open([4]);
    expect(await Promise.all([cores(), cores(), cores()])).toEqual(Array(3).fill({ spark: 4 }));
    expect(asked()).toBe(1);
  });

  it('an engine that is away is not known, and asked again after half a minute', async () => {
    const { cores, asked, pass } = open([new Error('away'), 4]);
    expect([await cores(), await cores()]).toEqual([{}, {}]);
    expect(asked()).toBe(1);
    pass(30_000);
    expect(await cores()).toEqual({ spark: 4 });
  });

  it('the last figure stands while the engine is away', async () => {
    const { cores, pass } = open([4, new Error('away'), null]);
    await cores();
    for (let round = 0; round < 3; round += 1) {
      pass(600_000);
      expect(await cores()).toEqual({ spark: 4 });
    }
  });

  it('an engine that does not answer holds nobody up', async () => {
    const cores = rememberCores({
      nowMs: () => 0,
      waitMs: 1,
      readSparkCores: () => new Promise(() => undefined),
    });
    expect(await cores()).toEqual({});
  });
});
