/** A stack whose Prometheus is not there, cannot run or has no port is up all the same. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resetStack, stackStatus, startStack } from '../../stack/control.ts';
import type { StackHome } from '../../stack/home.ts';
import { explainNoPrometheus } from '../../stack/monitoring.ts';
import { findFreePorts, LOOPBACK, type StackPorts } from '../../stack/ports.ts';
import type { StackParts } from '../../stack/services/service.ts';
import { temporaryHome } from './services-fixture.ts';

let home: StackHome;
let ports: StackPorts;
let parts: StackParts;

beforeEach(async () => {
  home = temporaryHome();
  ports = await findFreePorts();
  const folder = join(home.root, 'programs');
  mkdirSync(folder);
  parts = { ...NOWHERE, prometheus: folder };
});

afterEach(async () => {
  await resetStack(home.root);
  rmSync(home.root, { recursive: true, force: true });
});

const NOWHERE: StackParts = {
  temporal: '',
  minio: '',
  trinoHome: '',
  sparkClasspath: '',
  catalogClasspath: '',
  javaForSpark: '',
  javaForTrino: '',
  node: process.execPath,
};

function play(script: string): void {
  const path = join(parts.prometheus ?? '', 'prometheus');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** Answers on the port that Prometheus is told to use. */
const SERVES = `
  for argument; do
    case "$argument" in --web.listen-address=*) port="\${argument##*:}" ;; esac
  done
  exec "${process.execPath}" -e "
    require('node:http').createServer((q, a) => a.end('ok')).listen($port, '127.0.0.1');
    process.on('SIGTERM', () => process.exit(0));"`;

describe('the stack', () => {
  it('goes without what this machine does not have, and says how to have it', async () => {
    const told = await explainNoPrometheus(home, ports, NOWHERE);
    expect(told).toContain('without Prometheus');
    expect(told).toContain('PATH');
    expect(await explainNoPrometheus(home, ports, parts)).toBeUndefined();
  });

  it('goes without it when its port is taken, unless by its own', async () => {
    const server = createServer();
    await new Promise<void>((ready) => server.listen(ports.prometheus, LOOPBACK, ready));
    expect(await explainNoPrometheus(home, ports, parts)).toContain('ICEWRIGHT_PROMETHEUS_PORT');
    await new Promise((closed) => server.close(closed));
    play(SERVES);
    await startStack({ home: home.root, ports, parts, services: ['prometheus'] });
    expect(await explainNoPrometheus(home, ports, parts)).toBeUndefined();
  });

  it('is up when it fails, and shows the failure', async () => {
    play('echo "no such flag" >&2; exit 2');
    const status = await startStack({ home: home.root, ports, parts, services: ['prometheus'] });
    expect(status.running).toBe(true);
    const [record] = (await stackStatus(home.root)).services;
    expect(record).toMatchObject({ name: 'prometheus', state: 'failed' });
    expect(record?.problem).toContain('exit code 2');
  });
});
