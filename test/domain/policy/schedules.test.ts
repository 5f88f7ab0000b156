import { describe, expect, test } from 'vitest';
import { cronAt, faultInCron } from '../../../src/domain/policy/cron.ts';
import { exceptionsOf } from '../../../src/domain/policy/night-times.ts';
import type { NightlyPolicy } from '../../../src/domain/policy/policy.ts';
import { desiredSchedules, diffSchedules } from '../../../src/domain/policy/schedules.ts';

const NOW_MS = Date.parse('2026-11-21T02:00:00Z');

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
    const ids = desiredSchedules([nightly({ name: 'b' }), nightly({ name: 'a' })], NOW_MS);
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
    const prints = [{}, ...changes].map(
      (one) => desiredSchedules([nightly(one)], NOW_MS)[0]?.fingerprint,
    );
    expect(new Set(prints).size).toBe(changes.length + 1);
  });
  test('the file that it stands in does not', () => {
    const [a] = desiredSchedules([nightly()], NOW_MS);
    const [b] = desiredSchedules([nightly({ file: 'elsewhere.yaml' })], NOW_MS);
    expect(a?.fingerprint).toBe(b?.fingerprint);
  });
});

describe('nights on which the clocks change', () => {
  const shown = (cron: string, zone: string) => {
    const { skip, extraMs } = exceptionsOf(cron, zone, NOW_MS);
    const times = extraMs.map((atMs) => new Date(atMs).toISOString());
    return { skip, in2027: times.filter((one) => one.startsWith('2027')) };
  };
  test.each([
    ['30 2 * * *', 'Europe/Berlin', ['2027-03-28T01:00:01.000Z', '2027-10-31T00:30:01.000Z']],
    ['0 2 * * *', 'America/New_York', ['2027-03-14T07:00:01.000Z', '2027-11-07T07:00:01.000Z']],
    ['30 1 * * *', 'America/New_York', ['2027-03-14T06:30:01.000Z', '2027-11-07T05:30:01.000Z']],
    ['0 3 * * *', 'Europe/Berlin', ['2027-03-28T01:00:01.000Z', '2027-10-31T02:00:01.000Z']],
    ['0 2 * * *', 'UTC', []],
    // Both changes come on a Sunday.
    ['30 2 * * 1,5', 'Europe/Berlin', []],
    ['30 2 * * 0', 'Europe/Berlin', ['2027-03-28T01:00:01.000Z', '2027-10-31T00:30:01.000Z']],
    ['*/30 2 * * *', 'Europe/Berlin', []],
    ['30 2 1 * *', 'Europe/Berlin', []],
  ])('%s in %s: %j', (cron, zone, expected) => {
    expect(shown(cron, zone).in2027).toEqual(expected);
  });
  test('are left to nobody else, for ten years', () => {
    const { skip } = shown('30 2 * * *', 'Europe/Berlin');
    expect(skip.slice(0, 4)).toEqual(['2026-03-29', '2026-10-25', '2027-03-28', '2027-10-31']);
    expect(skip).toHaveLength(20);
  });
  test('are the same all year, so that a restart changes no schedule', () => {
    const late = Date.parse('2026-12-31T23:00:00Z');
    const [a] = desiredSchedules([nightly({ cron: '30 2 * * *' })], NOW_MS);
    const [b] = desiredSchedules([nightly({ cron: '30 2 * * *' })], late);
    expect(a?.fingerprint).toBe(b?.fingerprint);
  });
});

describe('what has to be done to the server', () => {
  const desired = desiredSchedules(
    ['same', 'new', 'changed'].map((name) => nightly({ name })),
    NOW_MS,
  );
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
