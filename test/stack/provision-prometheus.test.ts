/** Prometheus: fetched without root, found on the machine, or left out with a reason. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PINS } from '../../stack/provision/pins.ts';
import { ensurePrometheus } from '../../stack/provision/prometheus.ts';
import { APT_FETCHES, openWorkshop, type Workshop } from './provision-fixture.ts';

let workshop: Workshop;
let told: string[];
const tell = (line: string) => void told.push(line);

beforeEach(() => {
  workshop = openWorkshop();
  told = [];
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(workshop.root, { recursive: true, force: true });
});

/** A folder on PATH that has both programs, as a machine's own installation. */
function installOnPath(): string {
  const folder = join(workshop.root, 'installed');
  mkdirSync(folder);
  for (const name of ['prometheus', 'promtool']) {
    writeFileSync(join(folder, name), '#!/bin/sh\n');
    chmodSync(join(folder, name), 0o755);
  }
  vi.stubEnv('PATH', `${process.env.PATH}:${folder}`);
  return folder;
}

describe('ensurePrometheus', () => {
  it('takes both programs out of the package of the pinned version', async () => {
    const folder = (await ensurePrometheus(tell)) ?? '';
    expect(readdirSync(folder).sort()).toEqual(['prometheus', 'promtool']);
    const wanted = `prometheus=${PINS.prometheus.version}*`;
    expect(readFileSync(join(folder, 'promtool'), 'utf8')).toBe(wanted);
    expect(told).toContain(`fetching prometheus ${PINS.prometheus.version}`);
  });

  it('starts nothing when it is there', async () => {
    const folder = await ensurePrometheus(tell);
    vi.stubEnv('PATH', '/nowhere');
    told = [];
    expect(await ensurePrometheus(tell)).toBe(folder);
    expect(told).toEqual([]);
  });

  it('makes package lists of its own where the machine has none', async () => {
    const own = `case "$*" in *Dir::State::Lists=*) ;; *) echo 'no lists' >&2; exit 100 ;; esac`;
    workshop.play('apt-get', `${own}\ncase "$*" in *download*) ${APT_FETCHES} ;; esac`);
    const folder = (await ensurePrometheus(tell)) ?? '';
    expect(existsSync(join(folder, 'prometheus'))).toBe(true);
    expect(readdirSync(folder)).toHaveLength(2);
    expect(workshop.count('apt-get')).toBe(3);
  });

  it('takes what the machine has where the package cannot be had', async () => {
    workshop.play('apt-get', 'exit 100');
    const folder = installOnPath();
    expect(await ensurePrometheus(tell)).toBe(folder);
  });

  it('is left out, with the reason, where nothing leads to it', async () => {
    workshop.play('apt-get', 'echo "E: Unable to locate package prometheus" >&2; exit 100');
    expect(await ensurePrometheus(tell)).toBeUndefined();
    expect(told.at(-1)).toContain('Prometheus is left out: cannot provide prometheus');
    expect(told.at(-1)).toContain('Unable to locate package');
    vi.stubEnv('PATH', '/nowhere');
    expect(await ensurePrometheus(tell)).toBeUndefined();
    expect(told.at(-1)).toContain('Prometheus is left out: it is not installed');
  });
});
