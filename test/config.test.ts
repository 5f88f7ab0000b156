import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

const read = (environment: NodeJS.ProcessEnv) =>
  readConfig({ ICEWRIGHT_HOME: '/nowhere', ...environment });

describe('settings of health', () => {
  it('have defaults', () => {
    const day = 86_400_000;
    expect(read({}).health).toEqual({
      intervalMs: 300_000,
      retention: { rawMs: 2 * day, hourlyMs: 30 * day, dailyMs: 730 * day },
    });
  });

  it('are read as people write them', () => {
    const environment = {
      ICEWRIGHT_HEALTH_INTERVAL: '10s',
      ICEWRIGHT_HEALTH_RETENTION: '1h,1d,10d',
    };
    expect(read(environment).health).toEqual({
      intervalMs: 10_000,
      retention: { rawMs: 3_600_000, hourlyMs: 86_400_000, dailyMs: 864_000_000 },
    });
  });

  it.each([
    [{ ICEWRIGHT_HEALTH_INTERVAL: '1s' }, /HEALTH_INTERVAL: .*expected 10s to 1d/],
    [{ ICEWRIGHT_HEALTH_INTERVAL: 'often' }, /HEALTH_INTERVAL: .*not a duration/],
    [{ ICEWRIGHT_HEALTH_RETENTION: '2d' }, /HEALTH_RETENTION: .*three ascending durations/],
  ])('%j is a fault with its name', (environment, message) => {
    expect(() => read(environment)).toThrow(message);
  });
});
