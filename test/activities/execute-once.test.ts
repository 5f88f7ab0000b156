/**
 * What an attempt does with what an earlier one left. The engine is scripted here, because a late
 * heartbeat or an interrupt by a stranger cannot be brought about at will; the real engines are
 * killed and cancelled in test/live/durable.test.ts.
 */
import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { endExecutions, executeInOrder, executeOnce } from '../../src/activities/execute-once.ts';
import type { EngineHandle, EngineRunner, RunOptions } from '../../src/domain/engine.ts';
import { type ErrorCode, IcewrightError } from '../../src/domain/errors.ts';
import { operationKey } from '../../src/domain/ids.ts';

const HANDLE: EngineHandle = { engine: 'spark', sessionId: 's', operationId: 'op' };

type Step = (options: RunOptions) => Promise<void>;

/** An engine whose runs follow a script, a step each. */
function scripted(...steps: readonly Step[]) {
  const runs: RunOptions[] = [];
  const runner: EngineRunner = {
    name: 'spark',
    run: async (_statement, options) => {
      runs.push(options);
      options.onStarted?.(HANDLE);
      await steps[runs.length - 1]?.(options);
      const reattached = options.resume !== undefined;
      return { rows: [{ n: 1n }], engineOperationId: 'op', reattached, release: async () => {} };
    },
    end: async () => {},
    version: async () => '0',
    close: async () => {},
  };
  return { runner, runs };
}

const ok: Step = async () => {};
const fail =
  (code: ErrorCode, details = {}): Step =>
  async () => {
    throw new IcewrightError(code, code, details);
  };
/** The engine answers that nothing of the statement runs any more. */
const gone = fail('EngineOutcomeUnknown', { ended: true });

function execute(
  environment: MockActivityEnvironment,
  runner: EngineRunner,
  hasCommitted: () => Promise<boolean> = async () => false,
) {
  const statement = { engine: 'spark', sql: 'CALL x()' } as const;
  return environment.run(() =>
    executeOnce({ runner, statement, key: 'run/0', session: 'maintenance', hasCommitted }),
  );
}

/** A second attempt, with what the first one heartbeated. */
function secondAttempt(handle: EngineHandle | null = HANDLE): MockActivityEnvironment {
  const heartbeatDetails = handle === null ? undefined : { generation: 0, handle };
  return new MockActivityEnvironment({ attempt: 2, heartbeatDetails });
}

describe('executeOnce', () => {
  it('starts under its key the first time', async () => {
    const { runner, runs } = scripted(ok);
    const result = await execute(new MockActivityEnvironment(), runner);
    expect(result).toMatchObject({ reattached: false, engineOperationId: 'op' });
    expect(runs.map((one) => [one.key, one.resume])).toEqual([['run/0', undefined]]);
  });

  it('takes over what an earlier attempt left running', async () => {
    const { runner, runs } = scripted(ok);
    expect(await execute(secondAttempt(), runner)).toMatchObject({ reattached: true });
    expect(runs[0]?.resume).toEqual(HANDLE);
  });

  it('asks the table first, and starts nothing when it has committed', async () => {
    const { runner, runs } = scripted(ok);
    const result = await execute(secondAttempt(), runner, async () => true);
    expect(result).toMatchObject({ reattached: true, engineOperationId: 'op', rows: [] });
    expect(runs).toEqual([]);
  });

  it('lets the engine settle what ran without a handle before it starts again', async () => {
    const { runner, runs } = scripted(ok);
    const settled: string[] = [];
    const settling: EngineRunner = {
      ...runner,
      settle: async (key) => {
        settled.push(key);
        return ['query'];
      },
    };
    await execute(secondAttempt(null), settling);
    expect(settled).toEqual(['run/0', 'run/0#1']);
    expect(runs).toHaveLength(1);
  });

  it.each([
    ['forgotten', gone],
    ['cancelled by a stranger', fail('Cancelled')],
  ])(
    'begins anew under another key when what was left is %s and has not committed',
    async (_, left) => {
      const { runner, runs } = scripted(left, ok);
      expect(await execute(secondAttempt(), runner)).toMatchObject({ reattached: false });
      expect(runs.map((one) => [one.key, one.resume])).toEqual([
        ['run/0', HANDLE],
        ['run/0#1', undefined],
      ]);
    },
  );

  it('does not begin anew when what is gone has committed', async () => {
    const { runner, runs } = scripted(gone);
    let asked = 0;
    const hasCommitted = async () => {
      asked += 1;
      return asked === 2;
    };
    expect(await execute(secondAttempt(), runner, hasCommitted)).toMatchObject({ rows: [] });
    expect(runs).toHaveLength(1);
  });

  it('starts nothing beside a statement whose engine is merely out of reach', async () => {
    const { runner, runs } = scripted(fail('EngineOutcomeUnknown'), ok);
    const code = 'EngineOutcomeUnknown';
    await expect(execute(secondAttempt(), runner)).rejects.toMatchObject({ code });
    expect(runs).toHaveLength(1);
  });

  it('does a conflicting commit again on the new snapshot, three times at most', async () => {
    const conflict = fail('CommitConflict');
    const once = scripted(conflict, ok);
    await execute(new MockActivityEnvironment(), once.runner);
    expect(once.runs.map((one) => one.key)).toEqual(['run/0', 'run/0#1']);
    const always = scripted(conflict, conflict, conflict, conflict, ok);
    const run = execute(new MockActivityEnvironment(), always.runner);
    await expect(run).rejects.toMatchObject({ code: 'CommitConflict' });
    expect(always.runs).toHaveLength(4);
  });

  it('believes the table, not an engine that calls its commit a failure', async () => {
    for (const step of [fail('EngineRejected'), gone, fail('CommitConflict')]) {
      const { runner, runs } = scripted(step, ok);
      const result = await execute(new MockActivityEnvironment(), runner, async () => true);
      expect(result).toMatchObject({ rows: [], engineOperationId: 'op', lost: expect.any(String) });
      expect(runs).toHaveLength(1);
    }
  });

  it('never retries a definitive answer, nor an unknown outcome of its own start', async () => {
    for (const code of ['EngineRejected', 'EngineOutcomeUnknown', 'EngineUnavailable'] as const) {
      const { runner, runs } = scripted(fail(code), ok);
      await expect(execute(new MockActivityEnvironment(), runner)).rejects.toMatchObject({ code });
      expect(runs).toHaveLength(1);
    }
  });
});

describe('two statements of one activity', () => {
  const KEYS = [operationKey('run', 0, 1), operationKey('run', 0)] as const;

  /** @param left what the attempt before heartbeated last; `null`: this is the first one */
  async function inOrder(left: object | null, ...steps: readonly Step[]) {
    const { runner, runs } = scripted(...steps);
    const statement = { engine: 'spark', sql: 'ALTER x' } as const;
    const session = 'maintenance';
    const hasCommitted = async () => false;
    const all = KEYS.map((key) => ({ runner, statement, key, session, hasCommitted }));
    const retry = left === null ? {} : { attempt: 2, heartbeatDetails: left };
    const environment = new MockActivityEnvironment(retry);
    const beats: unknown[] = [];
    environment.on('heartbeat', (details) => beats.push(details));
    await environment.run(() => executeInOrder(all));
    return { beats, ran: runs.map((one) => [one.key, one.resume]) };
  }

  it('say in every heartbeat whose handle it is', async () => {
    const { beats, ran } = await inOrder(null, fail('CommitConflict'), ok, ok);
    expect(ran.map(([key]) => key)).toEqual([KEYS[0], `${KEYS[0]}#1`, KEYS[1]]);
    expect(beats).toEqual([
      { key: KEYS[0], generation: 0, handle: HANDLE },
      { key: KEYS[0], generation: 1 },
      { key: KEYS[0], generation: 1, handle: HANDLE },
      { key: KEYS[1], generation: 0, handle: HANDLE },
    ]);
  });

  it('go on with the first where the worker died in it, and the second begins anew', async () => {
    const { ran } = await inOrder({ key: KEYS[0], generation: 1, handle: HANDLE }, ok, ok);
    expect(ran).toEqual([
      [`${KEYS[0]}#1`, HANDLE],
      [KEYS[1], undefined],
    ]);
  });

  it('go on with the second where the worker died in that: the first had ended', async () => {
    const { ran } = await inOrder({ key: KEYS[1], generation: 0, handle: HANDLE }, ok);
    expect(ran).toEqual([[KEYS[1], HANDLE]]);
  });

  it('take a trace that names none for the first one’s, and skip none', async () => {
    const { ran } = await inOrder({ generation: 0, handle: HANDLE }, ok, ok);
    expect(ran).toEqual([
      [KEYS[0], HANDLE],
      [KEYS[1], undefined],
    ]);
  });

  it('are all ended when nobody waits for them any more', async () => {
    const ended: string[] = [];
    const runner = { ...scripted().runner, end: async (key: string) => void ended.push(key) };
    await endExecutions(runner, operationKey('run', 0), 'maintenance');
    const generations = (key: string) => [key, `${key}#1`, `${key}#2`, `${key}#3`];
    expect(ended.sort()).toEqual(KEYS.flatMap(generations).sort());
  });
});

describe('a cancelled activity', () => {
  /** Waits for one of the two signals, and says which came. */
  const watching =
    (seen: string[]): Step =>
    ({ signal, detach }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
          seen.push('interrupt');
          reject(new IcewrightError('Cancelled', 'cancelled'));
        });
        detach?.addEventListener('abort', () => {
          seen.push('let go');
          reject(new IcewrightError('EngineOutcomeUnknown', 'let go'));
        });
      });

  it.each([
    ['CANCELLED', { cancelRequested: true }, 'interrupt', 'Cancelled'],
    ['TIMED_OUT', { timedOut: true }, 'let go', 'EngineOutcomeUnknown'],
    ['NOT_FOUND', { notFound: true }, 'let go', 'EngineOutcomeUnknown'],
    ['WORKER_SHUTDOWN', { workerShutdown: true }, 'let go', 'EngineOutcomeUnknown'],
  ] as const)('because of %s: %j → %s', async (reason, details, expected, code) => {
    const seen: string[] = [];
    const environment = new MockActivityEnvironment();
    const { runner, runs } = scripted(watching(seen));
    const run = execute(environment, runner);
    environment.cancel(reason, new ActivityCancellationDetails(details));
    await expect(run).rejects.toMatchObject({ code });
    expect(seen).toEqual([expected]);
    expect(runs).toHaveLength(1);
  });

  it('whose statement had committed already is done, not cancelled', async () => {
    const environment = new MockActivityEnvironment();
    const { runner } = scripted(watching([]));
    const run = execute(environment, runner, async () => true);
    environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    expect(await run).toMatchObject({ engineOperationId: 'op', reattached: false });
  });
});
