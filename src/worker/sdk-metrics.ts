/** Carries the metrics of Temporal's SDK to ours: no second address to scrape. */
import { MetricsBuffer } from '@temporalio/worker';
import type { SdkMetrics } from '../http/sdk-metrics.ts';
import { log } from '../log.ts';

/** An idle worker makes a few updates a second, a busy one hundreds: the buffer holds 10,000. */
const DRAIN_EVERY_MS = 5_000;

export interface SdkMetricsLink {
  readonly buffer: MetricsBuffer;
  /** Hands over what has gathered. */
  drain(metrics: SdkMetrics): void;
  /** Drains regularly from now on. Returns what ends that. */
  start(metrics: SdkMetrics): () => void;
}

/** The buffer belongs to the SDK's runtime, which is made before everything else. */
export function linkSdkMetrics(): SdkMetricsLink {
  const buffer = new MetricsBuffer({ maxBufferSize: 10_000, useSecondsForDurations: true });
  const drain = (metrics: SdkMetrics) => {
    try {
      metrics.add(buffer.retrieveUpdates());
    } catch (error) {
      // Before the runtime is there, and after it has shut down.
      log.debug('no metrics of the SDK', { error });
    }
  };
  return {
    buffer,
    drain,
    start: (metrics) => {
      const timer = setInterval(() => drain(metrics), DRAIN_EVERY_MS);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}
