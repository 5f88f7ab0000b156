import { describe, expect, test } from 'vitest';
import { cronAt, faultInCron } from '../../../src/domain/policy/cron.ts';
import type { NightlyPolicy } from '../../../src/domain/policy/policy.ts';
import { desiredSchedules, diffSchedules } from '../../../src/domain/policy/schedules.ts';

function nightly(change: Partial<NightlyPolicy> = {}): NightlyPolicy {
  return {
    kind: 'nightly',
    name: 'night',
    file: 'policies/nightly.yaml',
    cron: '0 2 * * *',
    zone: 'Europe/Berlin',
    models: [],
    maintenance: true,
    paused: false,
    concurrency: 4,
    missed: 'skip',
    ...change,
  };
}

describe('desired schedules', () => {
  test('one for each nightly policy, by id', () => {
    const ids = desiredSchedules([nightly({ name: 'b' }), nightly({ name: 'a' })]);
    expect(ids.map((one) => one.scheduleId)).toEqual([
      'icewright/nightly/a',
      'icewright/nightly/b',
    ]);
  });
  test('every field of the policy that matters to the server is in the fingerprint', () => {
    const changes: Partial<NightlyPolicy>[] = [
      { cron: '0 3 * * *' },
      { zone: 'UTC' },
      { models: ['gold.daily_revenue'] },
      { maintenance: false },
      { paused: true },
      { concurrency: 1 },
      { missed: 'run' },
    ];
    const prints = [{}, ...changes].map((one) => desiredSchedules([nightly(one)])[0]?.fingerprint);
    expect(new Set(prints).size).toBe(changes.length + 1);
  });
  test('the file that it stands in does not', () => {
    const [a] = desiredSchedules([nightly()]);
    const [b] = desiredSchedules([nightly({ file: 'elsewhere.yaml' })]);
    expect(a?.fingerprint).toBe(b?.fingerprint);
  });
});

describe('what has to be done to the server', () => {
  const desired = desiredSchedules(['same', 'new', 'changed'].map((name) => nightly({ name })));
  const same = desired.find((one) => one.scheduleId.endsWith('/same'));
  const diff = diffSchedules(desired, [
    { scheduleId: 'icewright/nightly/same', fingerprint: same?.fingerprint ?? null },
    { scheduleId: 'icewright/nightly/changed', fingerprint: 'older' },
    { scheduleId: 'icewright/nightly/gone', fingerprint: 'x' },
    { scheduleId: 'payroll', fingerprint: null },
    { scheduleId: 'icewright-of-someone-else', fingerprint: null },
  ]);
  test('is create, update, delete or nothing', () => {
    expect(diff.create.map((one) => one.scheduleId)).toEqual(['icewright/nightly/new']);
    expect(diff.update.map((one) => one.scheduleId)).toEqual(['icewright/nightly/changed']);
    expect(diff.delete).toEqual(['icewright/nightly/gone']);
    expect(diff.unchanged).toEqual(['icewright/nightly/same']);
  });
  test('never touches an id without our prefix', () => {
    expect(JSON.stringify(diff)).not.toMatch(/payroll|someone-else/);
  });
  test('once done, there is nothing more to do', () => {
    const again = diffSchedules(desired, desired);
    expect(again).toMatchObject({ create: [], update: [], delete: [] });
  });
});

describe('cron', () => {
  test('of a time and days', () => {
    expect(cronAt('02:05', [])).toBe('5 2 * * *');
    expect(cronAt('23:00', ['sat', 'mon'])).toBe('0 23 * * 1,6');
  });
  test.each(['0 2 * * *', '*/15 0-6,22 1 jan-mar mon,fri', '59 23 31 12 6', '0 2 1-15/2 * *'])(
    '%s is accepted',
    (text) => expect(faultInCron(text)).toBeNull(),
  );
  test.each([
    ['0 2 * *', /4 fields/],
    ['60 2 * * *', /"60" is no minute/],
    ['0 24 * * *', /"24" is no hour/],
    ['0 2 0 * *', /"0" is no day of month/],
    ['0 2 * 13 *', /"13" is no month/],
    ['0 2 * * 7', /"7" is no day of week/],
    ['0 5-2 * * *', /"5-2" is no hour/],
    ['*/0 2 * * *', /no minute/],
    ['@daily', /1 fields/],
    ['0 2, * * *', /"" is no hour/],
  ])('%s is refused', (text, message) => {
    expect(faultInCron(text)).toMatch(message);
  });
});
