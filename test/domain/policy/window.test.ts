import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WEEKDAYS } from '../../../src/domain/policy/cron.ts';
import { addDays, instantOf, localDateOf } from '../../../src/domain/policy/local-time.ts';
import {
  nextOpening,
  openingOn,
  type WindowPolicy,
  windowAt,
} from '../../../src/domain/policy/window.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

function window(from: string, to: string, change: Partial<WindowPolicy> = {}): WindowPolicy {
  const zone = 'Europe/Berlin';
  return { zone, from, to, days: [], blackouts: [], missed: 'skip', ...change };
}

function shown(policy: WindowPolicy, night: string): string | null {
  const found = openingOn(policy, night);
  if (found === null) return null;
  const text = (ms: number) => new Date(ms).toISOString().slice(5, 16);
  return `${text(found.sinceMs)} to ${text(found.untilMs)}`;
}

describe('the night on which the clocks change', () => {
  // Berlin 2027: 02:00 → 03:00 on 28 March, 03:00 → 02:00 on 31 October.
  // New York 2027: 02:00 → 03:00 on 14 March, 02:00 → 01:00 on 7 November.
  test.each([
    ['Europe/Berlin', '22:00', '05:00', '2027-03-27', '03-27T21:00 to 03-28T03:00'],
    ['Europe/Berlin', '22:00', '05:00', '2027-10-30', '10-30T20:00 to 10-31T04:00'],
    ['Europe/Berlin', '02:30', '04:00', '2027-03-27', '03-27T01:30 to 03-27T03:00'],
    ['Europe/Berlin', '02:30', '04:00', '2027-03-28', '03-28T01:00 to 03-28T02:00'],
    ['Europe/Berlin', '02:30', '04:00', '2027-10-31', '10-31T00:30 to 10-31T03:00'],
    ['Europe/Berlin', '01:00', '02:30', '2027-03-28', '03-28T00:00 to 03-28T01:00'],
    ['Europe/Berlin', '01:00', '02:30', '2027-10-31', '10-30T23:00 to 10-31T00:30'],
    // Start and end are both left out: it keeps its length.
    ['Europe/Berlin', '02:15', '02:45', '2027-03-28', '03-28T01:00 to 03-28T01:30'],
    ['America/New_York', '22:00', '05:00', '2027-03-13', '03-14T03:00 to 03-14T09:00'],
    ['America/New_York', '22:00', '05:00', '2027-11-06', '11-07T02:00 to 11-07T10:00'],
    ['America/New_York', '02:30', '04:00', '2027-03-14', '03-14T07:00 to 03-14T08:00'],
    ['America/New_York', '01:30', '04:00', '2027-11-07', '11-07T05:30 to 11-07T09:00'],
    ['America/New_York', '02:00', '02:00', '2027-03-13', '03-13T07:00 to 03-14T07:00'],
    ['America/New_York', '02:00', '02:00', '2027-03-14', '03-14T07:00 to 03-15T06:00'],
  ])('in %s, %s to %s on %s: %s', (zone, from, to, night, expected) => {
    expect(shown(window(from, to, { zone }), night)).toBe(expected);
  });

  test('a zone that changes at midnight opens in the first minute of the day', () => {
    // Beirut 2026-03-29: 00:00 → 01:00.
    const policy = window('00:00', '03:00', { zone: 'Asia/Beirut' });
    expect(shown(policy, '2026-03-29')).toBe('03-28T22:00 to 03-29T00:00');
  });

  test('a date that a zone left out has no night; those beside it have theirs', () => {
    const policy = window('01:00', '04:00', { zone: 'Pacific/Apia' });
    expect(shown(policy, '2011-12-29')).toBe('12-29T11:00 to 12-29T14:00');
    expect(shown(policy, '2011-12-30')).toBeNull();
    expect(shown(policy, '2011-12-31')).toBe('12-30T11:00 to 12-30T14:00');
  });

  // A simulated clock: who looks every ten minutes begins once for each local night.
  test.each([
    ['Europe/Berlin', '2027-03-20', '2027-04-05'],
    ['Europe/Berlin', '2027-10-23', '2027-11-08'],
    ['America/New_York', '2027-03-06', '2027-03-22'],
    ['America/New_York', '2027-10-30', '2027-11-15'],
  ])('once a night in %s from %s to %s, whenever it opens', (zone, first, last) => {
    for (const [from, to] of [
      ['22:00', '05:00'],
      ['01:30', '02:00'],
      ['02:00', '02:30'],
      ['02:30', '03:30'],
      ['00:00', '00:00'],
    ] as const) {
      const policy = window(from, to, { zone });
      const begun: string[] = [];
      const endMs = instantOf(zone, last, '12:00').atMs;
      for (let atMs = instantOf(zone, first, '12:00').atMs; atMs < endMs; atMs += 600_000) {
        const state = windowAt(policy, atMs);
        if (state.kind === 'open' && begun.at(-1) !== state.night) begun.push(state.night);
      }
      const nights: string[] = [];
      const start =
        to <= from && from !== '22:00' ? first : from >= '12:00' ? first : addDays(first, 1);
      for (let night = start; night <= last; night = addDays(night, 1)) nights.push(night);
      if (from >= '12:00') nights.pop();
      expect(begun, `${from} to ${to}`).toEqual(nights);
    }
  });
});

describe('a window', () => {
  const policy = window('22:00', '05:00', { days: ['fri', 'sat'] });
  // 2026-11-20 is a Friday; Berlin is an hour ahead of UTC.
  test.each([
    ['2026-11-20T20:59:00Z', null, '2026-11-20T21:00:00.000Z'],
    ['2026-11-20T21:00:00Z', '2026-11-20', null],
    ['2026-11-21T03:59:00Z', '2026-11-20', null],
    ['2026-11-21T04:00:00Z', null, '2026-11-21T21:00:00.000Z'],
    ['2026-11-22T03:59:00Z', '2026-11-21', null],
    ['2026-11-22T04:00:00Z', null, '2026-11-27T21:00:00.000Z'],
    ['2026-11-23T02:00:00Z', null, '2026-11-27T21:00:00.000Z'],
  ])('on Friday and Saturday night, at %s: night %s, next %s', (at, night, next) => {
    const state = windowAt(policy, Date.parse(at));
    if (state.kind === 'open') expect(state.night).toBe(night);
    else {
      expect(night).toBeNull();
      expect(new Date(state.nextMs ?? 0).toISOString()).toBe(next);
      expect(state.because).toBe('the window is 22:00 to 05:00 Europe/Berlin on fri, sat');
    }
  });

  test('none: always open, a night is a day of UTC', () => {
    expect(windowAt(null, Date.parse('2026-11-21T02:00:00Z'))).toEqual({
      kind: 'open',
      night: '2026-11-21',
      sinceMs: Date.parse('2026-11-21T00:00:00Z'),
      untilMs: Date.parse('2026-11-22T00:00:00Z'),
      makesUp: false,
    });
  });

  test('that never opens says so', () => {
    const never = window('01:00', '02:00', {
      blackouts: [{ from: '2020-01-01', to: '2090-01-01', because: 'the archive is closed' }],
    });
    expect(windowAt(never, Date.parse('2026-11-21T02:00:00Z'))).toEqual({
      kind: 'closed',
      nextMs: null,
      because: 'blacked out: the archive is closed',
    });
  });
});

describe('a blackout', () => {
  const policy = window('22:00', '05:00', {
    blackouts: [{ from: '2026-12-24', to: '2026-12-25', because: 'Christmas' }],
  });
  test('opens no window on its dates, and ends the one before it at midnight', () => {
    expect(shown(policy, '2026-12-22')).toBe('12-22T21:00 to 12-23T04:00');
    expect(shown(policy, '2026-12-23')).toBe('12-23T21:00 to 12-23T23:00');
    expect(shown(policy, '2026-12-24')).toBeNull();
    expect(shown(policy, '2026-12-25')).toBeNull();
    expect(shown(policy, '2026-12-26')).toBe('12-26T21:00 to 12-27T04:00');
    expect(windowAt(policy, Date.parse('2026-12-24T23:00:00Z'))).toMatchObject({
      kind: 'closed',
      because: 'blacked out: Christmas',
      nextMs: Date.parse('2026-12-26T21:00:00Z'),
    });
  });
});

describe('a missed night', () => {
  const at = (text: string) => Date.parse(`2026-11-${text}:00Z`);
  const away = at('19T23:00');
  const noon = at('21T12:00');

  test('waits for the next opening by skip', () => {
    expect(windowAt(window('22:00', '05:00'), noon, away)).toMatchObject({
      kind: 'closed',
      nextMs: at('21T21:00'),
    });
  });

  test('is made up for at once by run, as long as the window, and only once', () => {
    const policy = window('22:00', '05:00', { missed: 'run' });
    expect(windowAt(policy, noon, away)).toEqual({
      kind: 'open',
      night: '2026-11-20',
      sinceMs: noon,
      untilMs: noon + 7 * 60 * MINUTE_MS,
      makesUp: true,
    });
    expect(windowAt(policy, noon + MINUTE_MS, noon).kind).toBe('closed');
  });

  test('is none when somebody was there, or when that is not known', () => {
    const policy = window('22:00', '05:00', { missed: 'run' });
    expect(windowAt(policy, noon, at('21T03:00')).kind).toBe('closed');
    expect(windowAt(policy, noon, null).kind).toBe('closed');
  });

  test('is not made up for on a day that is blacked out', () => {
    const blackouts = [{ from: '2026-11-21', to: '2026-11-21', because: 'sale' }];
    const policy = window('22:00', '05:00', { missed: 'run', blackouts });
    expect(windowAt(policy, noon, away)).toMatchObject({ because: 'blacked out: sale' });
  });
});

const ZONES = [
  ...['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia'],
  ...['America/Sao_Paulo', 'Asia/Kathmandu', 'Africa/Casablanca', 'Asia/Beirut', 'UTC'],
];
const time = fc
  .record({ hour: fc.nat(23), minute: fc.nat(59) })
  .map(({ hour, minute }) => [hour, minute].map((one) => String(one).padStart(2, '0')).join(':'));
const anyWindow = fc.record({
  zone: fc.constantFrom(...ZONES),
  from: time,
  to: time,
  days: fc.subarray([...WEEKDAYS]),
  blackouts: fc.constant([]),
  missed: fc.constant('skip' as const),
});

test('over years no window overlaps the next, and none is lost', () => {
  fc.assert(
    fc.property(anyWindow, fc.integer({ min: 2009, max: 2036 }), (policy, year) => {
      const start = `${year}-01-01`;
      let before = 0;
      for (let day = 0; day < 800; day += 1) {
        const night = addDays(start, day);
        const wanted =
          policy.days.length === 0 ||
          policy.days.includes(WEEKDAYS[new Date(`${night}T00:00:00Z`).getUTCDay()] ?? 'sun');
        const opening = openingOn(policy, night);
        const exists = instantOf(policy.zone, night, '12:00').kind !== 'skipped';
        expect(opening !== null, night).toBe(wanted && exists);
        if (opening === null) continue;
        expect(opening.sinceMs).toBeGreaterThanOrEqual(before);
        expect(opening.untilMs).toBeGreaterThan(opening.sinceMs);
        expect(localDateOf(policy.zone, opening.sinceMs)).toBe(night);
        before = opening.untilMs;
      }
    }),
    { numRuns: 12 },
  );
});

test('what is said of an instant agrees with the openings around it', () => {
  const instant = fc.integer({ min: Date.UTC(2010, 0), max: Date.UTC(2037, 0) });
  fc.assert(
    fc.property(anyWindow, instant, (policy, atMs) => {
      const state = windowAt(policy, atMs);
      if (state.kind === 'open') {
        expect(state.sinceMs).toBeLessThanOrEqual(atMs);
        expect(state.untilMs).toBeGreaterThan(atMs);
        expect(openingOn(policy, state.night)).toMatchObject({ sinceMs: state.sinceMs });
        return;
      }
      const nextMs = state.nextMs ?? 0;
      expect(nextMs).toBeGreaterThan(atMs);
      expect(nextMs - atMs).toBeLessThan(9 * DAY_MS);
      expect(windowAt(policy, nextMs)).toMatchObject({ kind: 'open', sinceMs: nextMs });
      expect(nextOpening(policy, atMs)?.sinceMs).toBe(nextMs);
    }),
    { numRuns: 300 },
  );
});
