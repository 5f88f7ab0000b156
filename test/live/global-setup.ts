/**
 * One full stack for all live tests: its own free ports, its own home, gone at the end. A stack
 * that is up on the default ports is not touched.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { loadContext, readStackConfig } from '../../stack/config.ts';
import { resetStack, startStack } from '../../stack/control.ts';
import { describeHome, PROJECT_DIR } from '../../stack/home.ts';
import { findFreePorts, type StackPorts } from '../../stack/ports.ts';
import { ensureParts } from '../../stack/provision/parts.ts';
import type { StackParts } from '../../stack/services/service.ts';
import type { Settings } from '../../stack/settings.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly stack: LiveStack;
  }
}

/** What `inject('stack')` gives in a live test. */
export interface LiveStack {
  readonly home: string;
  readonly ports: StackPorts;
  readonly parts: StackParts;
  /** Also in `process.env` of every live test, so that `readConfig()` finds this stack. */
  readonly settings: Settings;
}

const HOME = join(PROJECT_DIR, '.icewright', 'test');

/** Where the tests of the stack itself raise a small one of their own. */
export const SECOND_HOME = join(PROJECT_DIR, '.icewright', 'test-second');

/** Vitest asks once for each project, and loads this file anew for each: the process remembers. */
const RAISED = Symbol.for('icewright.live-stack');
const memory = globalThis as { [RAISED]?: { readonly stack: Promise<LiveStack>; users: number } };

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  memory[RAISED] ??= { stack: raise(), users: 0 };
  const raised = memory[RAISED];
  raised.users += 1;
  project.provide('stack', await raised.stack);
  return async () => {
    raised.users -= 1;
    if (raised.users > 0) return;
    delete memory[RAISED];
    await remove();
  };
}

async function raise(): Promise<LiveStack> {
  await remove();
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('ICEWRIGHT_')) delete process.env[name];
  }
  const parts = await ensureParts((line) => console.error(String(line)));
  const ports = await findFreePorts();
  const startedAtMs = Date.now();
  const status = await startStack({ home: HOME, ports, parts });
  const times = status.services.map(
    (one) => `${one.name} ${((one.readyAfterMs ?? 0) / 1000).toFixed(1)}`,
  );
  const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
  console.error(`live stack up in ${seconds} s (${times.join(', ')})`);
  const home = describeHome(HOME);
  const { settings } = loadContext(home, readStackConfig(home));
  Object.assign(process.env, settings, { ICEWRIGHT_HOME: HOME });
  return { home: HOME, ports, parts, settings };
}

/** Also ends and removes what a test run that was killed has left. */
async function remove(): Promise<void> {
  for (const home of [HOME, SECOND_HOME]) {
    await resetStack(home);
    await rm(home, { recursive: true, force: true });
  }
}
