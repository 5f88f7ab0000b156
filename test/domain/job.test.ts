import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  JOB_KINDS,
  type Job,
  type JobKind,
  type JobQueue,
  QUEUE_LIMIT,
  type Requester,
  removeWaiting,
  submitJob,
  takeNext,
  viewQueue,
  withdraw,
} from '../../src/domain/job.ts';

const EMPTY: JobQueue = { holder: null, waiting: [] };
const NIGHT: Requester = { workflowId: 'nightly/1', askedRunId: '1.silver.orders' };

function job(runId: string, kind: JobKind = 'manual', dedupeKey = runId): Job {
  return {
    runId,
    kind,
    dedupeKey,
    title: runId,
    requestedBy: 'cli:test',
    parentRunId: null,
    work: { kind: 'transform', model: 'silver.orders', fullRefresh: false },
  };
}

function queueOf(...jobs: readonly Job[]): JobQueue {
  return jobs.reduce((queue, one, at) => submitJob(queue, one, null, at).queue, EMPTY);
}

describe('submitJob', () => {
  it('queues a job and joins an equal one, waiting or running', () => {
    const first = submitJob(EMPTY, job('a', 'manual', 'compact'), null, 1);
    expect(first.kind).toBe('queued');
    const running = takeNext(first.queue);
    const second = submitJob(running, job('b', 'manual', 'compact'), NIGHT, 2);
    expect(second).toMatchObject({ kind: 'joined', runId: 'a' });
    expect(viewQueue('t', second.queue).holder).toMatchObject({ runId: 'a', joined: 1 });
  });

  it('takes the same run asked twice for one request', () => {
    const once = submitJob(EMPTY, job('a'), NIGHT, 1);
    const twice = submitJob(once.queue, job('a'), NIGHT, 2);
    expect(twice).toMatchObject({ kind: 'joined', runId: 'a' });
    expect(twice.queue.waiting[0]?.requesters).toEqual([NIGHT]);
    expect(viewQueue('t', twice.queue).waiting[0]?.joined).toBe(0);
  });

  it('refuses more than the limit', () => {
    const full = queueOf(...Array.from({ length: QUEUE_LIMIT }, (_, at) => job(`j${at}`)));
    expect(submitJob(full, job('one more'), null, 0)).toMatchObject({ kind: 'full', queue: full });
  });
});

describe('takeNext', () => {
  it('takes the most urgent, then the oldest, and never two', () => {
    let queue = queueOf(
      job('maintenance', 'maintenance'),
      job('transform', 'transform'),
      job('manual 1', 'manual'),
      job('erasure', 'erasure'),
      job('manual 2', 'manual'),
    );
    const order: string[] = [];
    while (queue.waiting.length > 0) {
      queue = takeNext(queue);
      expect(takeNext(queue)).toBe(queue);
      order.push(queue.holder?.runId ?? '');
      queue = { ...queue, holder: null };
    }
    expect(order).toEqual(['erasure', 'manual 1', 'manual 2', 'transform', 'maintenance']);
  });

  it('loses and doubles no job, whatever the order of arrival', () => {
    const kinds = fc.array(fc.constantFrom(...JOB_KINDS), { maxLength: 30 });
    fc.assert(
      fc.property(kinds, (list) => {
        let queue = queueOf(...list.map((kind, at) => job(`j${at}`, kind)));
        const ran: JobKind[] = [];
        for (queue = takeNext(queue); queue.holder !== null; queue = takeNext(queue)) {
          ran.push(queue.holder.kind);
          queue = { ...queue, holder: null };
        }
        const byUrgency = [...list].sort((a, b) => JOB_KINDS.indexOf(a) - JOB_KINDS.indexOf(b));
        expect(ran).toEqual(byUrgency);
      }),
    );
  });
});

describe('leaving the queue', () => {
  it('removes a waiting job, not the running one', () => {
    const queue = takeNext(queueOf(job('a'), job('b')));
    expect(removeWaiting(queue, 'a').removed).toBeNull();
    expect(removeWaiting(queue, 'b').removed?.runId).toBe('b');
  });

  it('drops what only a cancelled requester wanted, and says when the running job is unwanted', () => {
    const running = takeNext(submitJob(EMPTY, job('a', 'transform'), NIGHT, 1).queue);
    const queue = submitJob(running, job('b', 'transform'), NIGHT, 2).queue;
    const left = withdraw(queue, NIGHT.workflowId);
    expect(left.removed.map((one) => one.runId)).toEqual(['b']);
    expect(left.orphanedHolder).toBe(true);
    expect(left.queue.waiting).toEqual([]);
  });

  it('keeps a job that somebody else wants too', () => {
    const other: Requester = { workflowId: 'nightly/2', askedRunId: '2.silver.orders' };
    const mine = submitJob(EMPTY, job('a', 'transform', 'same'), NIGHT, 1).queue;
    const both = submitJob(mine, job('b', 'transform', 'same'), other, 2).queue;
    const left = withdraw(both, NIGHT.workflowId);
    expect(left.removed).toEqual([]);
    expect(left.queue.waiting[0]?.requesters).toEqual([other]);
    const byCommand = submitJob(mine, job('c', 'transform', 'same'), null, 3).queue;
    expect(withdraw(byCommand, NIGHT.workflowId).removed).toEqual([]);
  });
});
