/** Writes how many tests passed and failed to a file, for the closing line of `npm test`. */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    // A file that did not load, or an error outside any test, is a failure of its own.
    let failed = errors.length;
    for (const module of modules) {
      let own = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        // A skipped test is not a passed one.
        else own += 1;
      }
      if (own === 0 && !module.ok()) own = 1;
      failed += own;
    }
    const path = process.env.VITEST_SUMMARY_FILE;
    if (path !== undefined) writeFileSync(path, JSON.stringify({ passed, failed }));
  }
}
