import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErasureStep } from '../../src/activities/erasure/types.ts';
import { erasureWorkflowId } from '../../src/domain/ids.ts';
import { wakeErasure } from '../../src/temporal/erasures.ts';
import { type Activities, createHarness, type Harness } from './environment.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const newId = () => randomUUID().slice(0, 8);

const ended = (workflowId: string) => harness.client.workflow.getHandle(workflowId).result();

describe('a request', () => {
  it('does what the ledger says next, and looks again when it is woken', async () => {
    const requestId = newId();
    const told: string[] = [];
    const next: ErasureStep[] = [
      { kind: 'find' },
      { kind: 'wait', untilMs: Date.now() + 3_600_000 },
      { kind: 'join' },
      { kind: 'wait', untilMs: Date.now() + 3_600_000 },
      { kind: 'end' },
    ];
    const activities: Partial<Activities> = {
      nextErasureStep: async () => {
        const step = next.shift() as ErasureStep;
        told.push(step.kind);
        return step;
      },
      findSubject: async () => {},
      joinBatch: async () => {},
    };
    await harness.serve(activities, async () => {
      await wakeErasure(harness.client, requestId);
      const workflow = harness.client.workflow.getHandle(erasureWorkflowId(requestId));
      for (const count of [2, 4]) {
        while (told.length < count) await new Promise((resume) => setTimeout(resume, 20));
        await wakeErasure(harness.client, requestId);
      }
      await workflow.result();
    });
    expect(told).toEqual(['find', 'wait', 'join', 'wait', 'end']);
  });

  it('outlives whatever fails: policies, keys, a ledger that is away for hours', async () => {
    const requestId = newId();
    const told: string[] = [];
    const answers: (ErasureStep | null)[] = [null, { kind: 'join' }, { kind: 'end' }];
    const away = (code: string) => ApplicationFailure.nonRetryable('away', code);
    const activities: Partial<Activities> = {
      nextErasureStep: async () => {
        const next = answers.shift() ?? null;
        if (next === null) throw away('Internal');
        return next;
      },
      joinBatch: async () => {
        throw away('PolicyInvalid');
      },
      noteRequest: async ({ waitingFor }) => {
        told.push(`waits: ${waitingFor?.code}`);
        throw away('LedgerUnavailable');
      },
    };
    await harness.serve(activities, async () => {
      await wakeErasure(harness.client, requestId);
      await ended(erasureWorkflowId(requestId));
    });
    expect(told).toEqual(['waits: Internal', 'waits: PolicyInvalid']);
  });

  it('that the ledger does not know comes to its end', async () => {
    const requestId = newId();
    const nextErasureStep: Activities['nextErasureStep'] = async () => {
      throw ApplicationFailure.nonRetryable('there is none', 'RunNotFound');
    };
    await harness.serve({ nextErasureStep }, async () => {
      await wakeErasure(harness.client, requestId);
      await ended(erasureWorkflowId(requestId));
    });
  });

  it('that cannot be looked for says why, and is looked for again', async () => {
    const requestId = newId();
    const told: string[] = [];
    let finds = 0;
    const activities: Partial<Activities> = {
      nextErasureStep: async () => (finds < 2 ? { kind: 'find' } : { kind: 'end' }),
      findSubject: async () => {
        finds += 1;
        told.push('find');
        if (finds === 1) throw ApplicationFailure.nonRetryable('lost', 'CatalogRejected');
      },
      noteRequest: async ({ waitingFor }) => void told.push(`waits: ${waitingFor?.code}`),
    };
    await harness.serve(activities, async () => {
      await wakeErasure(harness.client, requestId);
      await ended(erasureWorkflowId(requestId));
    });
    expect(told).toEqual(['find', 'waits: CatalogRejected', 'find']);
  });
});
