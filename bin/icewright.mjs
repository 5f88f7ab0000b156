#!/usr/bin/env node
/**
 * `npx icewright …`: runs on the machine's own Node and re-executes on the project's pinned one.
 * Installs nothing by itself.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { nodePath, PROJECT_DIR } from './pinned-node.mjs';
import { runPinned } from './run-pinned.mjs';

const node = nodePath();
if (!existsSync(node)) {
  const message = `Icewright is not installed in ${PROJECT_DIR}: run "npm start" there first`;
  if (process.argv.includes('--json')) {
    const error = { code: 'PrerequisiteMissing', message, details: {} };
    process.stdout.write(`${JSON.stringify({ error })}\n`);
  }
  process.stderr.write(`icewright: ${message}\n`);
  process.exit(2);
}

const argv = [join(PROJECT_DIR, 'src', 'cli', 'main.ts'), ...process.argv.slice(2)];
process.exitCode = await runPinned(argv, { cwd: process.cwd() });
