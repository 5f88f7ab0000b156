/** The live stack itself: what it shows, where it listens, and its engines after a crash. */
import { describe, expect, inject, it, vi } from 'vitest';
import { stackStatus } from '../../stack/control.ts';
import { openAddresses, recordOf } from './stack-support.ts';

const { home, settings } = inject('stack');

describe('the live stack', () => {
  it('shows each service with its process, its endpoint and the credentials', async () => {
    const status = await stackStatus(home);
    expect(status).toMatchObject({ running: true, catalog: 'lake' });
    for (const service of status.services) {
      expect(service, service.name).toMatchObject({ state: 'ready', pid: expect.any(Number) });
      expect(service.endpoint).toContain('127.0.0.1:');
      expect(service.version, service.name).toMatch(/\d/);
    }
    expect(status.credentials).toMatchObject({
      accessKeyId: settings.ICEWRIGHT_S3_ACCESS_KEY_ID,
      secretAccessKey: settings.ICEWRIGHT_S3_SECRET_ACCESS_KEY,
      catalogToken: settings.ICEWRIGHT_CATALOG_TOKEN,
      postgresUrl: settings.ICEWRIGHT_SHOP_URL,
      ledgerUrl: settings.ICEWRIGHT_LEDGER_URL,
    });
  });

  it('listens on loopback only, on every port of every service', async () => {
    const { services } = await stackStatus(home);
    for (const { name, pid } of services) expect(openAddresses(pid ?? 0), name).toEqual([]);
  });

  it('has its engines back after both were killed at once', async () => {
    const before = await stackStatus(home);
    const engines = ['trino', 'spark'].map((name) => recordOf(before, name));
    for (const { pid } of engines) process.kill(pid ?? 0, 'SIGKILL');
    await vi.waitFor(
      async () => {
        const now = await stackStatus(home);
        expect(now.running).toBe(true);
        for (const { name, pid } of engines) expect(recordOf(now, name).pid).not.toBe(pid);
      },
      { timeout: 240_000, interval: 500 },
    );
  });
});
