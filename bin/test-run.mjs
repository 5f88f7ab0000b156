/**
 * `npm test`: types, style, then every test at its three speeds. The last line is always
 * `N passed, N failed`; types and style count as one check each.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { nodePath, PROJECT_DIR } from './pinned-node.mjs';
import { runCommand } from './run-pinned.mjs';

const VITEST = join(PROJECT_DIR, 'node_modules', 'vitest', 'vitest.mjs');
const binary = (/** @type {string} */ name) => join(PROJECT_DIR, 'node_modules', '.bin', name);

/**
 * @param {readonly string[]} argv passed to vitest: paths, `-t`; with any, only the tests run
 * @returns {Promise<number>} exit code
 */
export async function runTests(argv) {
  const total = { passed: 0, failed: 0 };
  const count = (/** @type {boolean} */ ok) => {
    total[ok ? 'passed' : 'failed'] += 1;
  };
  if (argv.length === 0) {
    process.stdout.write('types …\n');
    count((await runCommand(binary('tsc'), ['--noEmit'])) === 0);
    process.stdout.write('style …\n');
    count((await runCommand(binary('biome'), ['check', '--error-on-warnings'])) === 0);
  }
  const tests = await runVitest(argv);
  total.passed += tests.passed;
  total.failed += tests.failed;
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

/**
 * A run that ends without a summary, or with a code that its tests do not explain, counts as a
 * failure: nothing is lost in silence.
 * @param {readonly string[]} argv
 */
async function runVitest(argv) {
  const folder = mkdtempSync(join(tmpdir(), 'icewright-test-'));
  const summary = join(folder, 'summary.json');
  process.env.VITEST_SUMMARY_FILE = summary;
  try {
    const reporters = ['--reporter=default', '--reporter=./test/reporter.ts'];
    const code = await runCommand(nodePath(), [VITEST, 'run', ...reporters, ...argv]);
    const told = readSummary(summary);
    if (told === null) return { passed: 0, failed: 1 };
    return code !== 0 && told.failed === 0 ? { ...told, failed: 1 } : told;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} path @returns {{ passed: number, failed: number } | null} */
function readSummary(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
