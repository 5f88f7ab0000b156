#!/usr/bin/env node
/**
 * The body of the npm scripts. Plain JavaScript on the machine's own Node: it finds what is missing
 * before anything is downloaded, installs the packages, and goes on on the pinned Node.
 *
 *   node bin/setup.mjs start|test|stop|reset|run [arguments]
 */
import { join } from 'node:path';
import process from 'node:process';
import { preflight } from '../stack/preflight.mjs';
import { ensureInstalled, isInstalled } from './install.mjs';
import { PROJECT_DIR } from './pinned-node.mjs';
import { runPinned } from './run-pinned.mjs';
import { runTests } from './test-run.mjs';

const CLI = join(PROJECT_DIR, 'src', 'cli', 'main.ts');
const [verb, ...rest] = process.argv.slice(2);

/** Ends the process with everything that is missing, in one message. */
async function check(/** @type {{ ports: boolean }} */ what) {
  const problems = await preflight(what);
  if (problems.length === 0) return;
  const told = problems.map(({ what: missing, remedy }) => `  - ${missing}\n    ${remedy}`);
  process.stderr.write(`Icewright cannot start yet:\n${told.join('\n')}\n`);
  process.exit(2);
}

async function main() {
  switch (verb) {
    case 'start':
      await check({ ports: true });
      await ensureInstalled();
      return runPinned([CLI, 'start', ...rest]);
    case 'test':
      await check({ ports: false });
      await ensureInstalled();
      return runTests(rest);
    case 'stop':
    case 'reset':
      // Nothing was ever installed here, so nothing runs.
      if (!isInstalled()) return 0;
      return runPinned([CLI, 'stack', verb === 'stop' ? 'down' : 'reset', ...rest]);
    case 'run':
      await ensureInstalled();
      return runPinned(rest);
    default:
      process.stderr.write('usage: node bin/setup.mjs start|test|stop|reset|run FILE …\n');
      return 2;
  }
}

process.exitCode = await main();
