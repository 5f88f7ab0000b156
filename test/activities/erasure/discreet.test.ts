import { describe, expect, it } from 'vitest';
import { discreetly, withoutValues } from '../../../src/activities/erasure/discreet.ts';
import { IcewrightError } from '../../../src/domain/errors.ts';
import { erasureRequest } from '../../proof/fixture.ts';

const VALUES = { customer_id: ['42'], email: ['ana@example.org'], full_name: ['Ana Meyer'] };

describe('what an error of an erasure says', () => {
  it.each([
    ['WHERE customer_id IN (42, 420)', 'WHERE customer_id IN (–, 420)'],
    ['port 4242 of 127.0.0.1', 'port 4242 of 127.0.0.1'],
    ['row Ana Meyer <ANA@example.org>', 'row – <–>'],
    ['cannot read s3://lake/t/customer_id=42/a.parquet: 403', 'cannot read (a file) 403'],
  ])('%s', (text, told) => {
    expect(withoutValues(text, Object.values(VALUES).flat())).toBe(told);
  });
});

type Deps = Parameters<typeof discreetly>[0];

function depsOf(readValues: () => Promise<null | { keyId: string; bytes: Uint8Array }>): Deps {
  const erasures = {
    readValues,
    listRequests: async () => [erasureRequest({ requestId: 'e1' })],
  };
  return { erasures, open: () => VALUES } as unknown as Deps;
}

const sealed = async () => ({ keyId: 'k1', bytes: new Uint8Array() });

async function failureOf(deps: Deps, error: Error, input = { batchId: 'b1' }) {
  const activity = discreetly(deps, async (_: { batchId: string }) => {
    throw error;
  });
  return (await activity(input).catch((told: unknown) => told)) as IcewrightError;
}

describe('an activity that fails', () => {
  const error = new IcewrightError('EngineRejected', 'bad row of ana@example.org', {
    table: 'lake.a.t',
    sql: 'SELECT 42',
    uri: 's3://lake/x',
  });

  it('keeps its code and its table, and names neither the subject nor a file', async () => {
    const told = await failureOf(depsOf(sealed), error);
    expect([told.code, told.message, told.details, told.cause]).toEqual([
      'EngineRejected',
      'bad row of –',
      { table: 'lake.a.t' },
      undefined,
    ]);
  });

  it('says nothing where the values cannot be read, and all once they are destroyed', async () => {
    const away = async () => {
      throw new IcewrightError('LedgerUnavailable', 'away');
    };
    expect((await failureOf(depsOf(away), error)).message).not.toContain('ana@');
    const gone = await failureOf(
      depsOf(async () => null),
      new Error('plain'),
    );
    expect([gone.code, gone.message]).toEqual(['Internal', 'plain']);
  });
});
