import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/http/metrics.ts';
import { createSdkMetrics, type SdkUpdate } from '../../src/http/sdk-metrics.ts';

const update = (
  kind: string,
  value: number,
  attributes: SdkUpdate['attributes'] = {},
): SdkUpdate => ({
  metric: { name: `temporal_${kind}`, kind, description: `A ${kind}.` },
  value,
  attributes,
});

describe('metrics of the SDK', () => {
  it('add up counters, keep the last value of gauges, and sort histograms into buckets', () => {
    const sdk = createSdkMetrics();
    sdk.add([
      update('counter', 2, { task_queue: 'control' }),
      update('counter', 3, { task_queue: 'control' }),
      update('gauge', 7),
      update('gauge', 5),
      update('histogram', 0.02, { a: 1 }),
      update('histogram', 0.6, { a: 1 }),
      update('histogram', 99_999, { a: 1 }),
    ]);
    const text = sdk.render();
    expect(text).toContain('# TYPE temporal_counter counter\n');
    expect(text).toContain('# HELP temporal_gauge A gauge.\n');
    expect(text).toContain('temporal_counter{task_queue="control"} 5\n');
    expect(text).toContain('temporal_gauge 5\n');
    expect(text).toContain('temporal_histogram_bucket{a="1",le="0.01"} 0\n');
    expect(text).toContain('temporal_histogram_bucket{a="1",le="0.05"} 1\n');
    expect(text).toContain('temporal_histogram_bucket{a="1",le="3600"} 2\n');
    expect(text).toContain('temporal_histogram_bucket{a="1",le="+Inf"} 3\n');
    expect(text).toContain('temporal_histogram_count{a="1"} 3\n');
  });

  it('escape what labels hold', () => {
    const sdk = createSdkMetrics();
    sdk.add([update('counter', 1, { 'a-b': 'x"y\\z\nw' })]);
    expect(sdk.render()).toContain('temporal_counter{a_b="x\\"y\\\\z\\nw"} 1\n');
  });

  it('are bounded, and say how much was left out', () => {
    const sdk = createSdkMetrics();
    sdk.add(Array.from({ length: 2_010 }, (_, at) => update('counter', 1, { at })));
    expect(sdk.render().match(/^temporal_counter\{/gm)).toHaveLength(2_000);
    expect(sdk.render()).toContain('icewright_sdk_updates_left_out_total 10\n');
  });

  it('stand beside our own, fetched when they are scraped', async () => {
    const pending = [update('counter', 4)];
    const metrics = createMetrics({ onRender: ({ sdk }) => sdk.add(pending.splice(0)) });
    const { body } = await metrics.render();
    expect(body).toContain('temporal_counter 4\n');
    expect(body).toContain('# TYPE icewright_runs_total counter');
    expect((await metrics.render()).body).toContain('temporal_counter 4\n');
  });
});
