/** The launcher and the body of the npm scripts, run in a small checkout of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Checkout } from './setup-fixture.ts';

let checkout: Checkout;

beforeEach(() => {
  checkout = new Checkout();
});

afterEach(() => {
  rmSync(checkout.folder, { recursive: true, force: true });
});

describe('icewright', () => {
  it('that is not installed says so and installs nothing', async () => {
    const plain = await checkout.run('icewright.mjs', ['health']);
    expect(plain).toMatchObject({ code: 2, stdout: '' });
    expect(plain.stderr).toContain('run "npm start"');
    const { code, stdout } = await checkout.run('icewright.mjs', ['health', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'PrerequisiteMissing' } });
    expect(checkout.npmCalls()).toEqual([]);
  });

  it('passes words, folder and exit code through', async () => {
    checkout.installNode();
    const words = ['exit', '3', 'two words', '--where', "a = 'x'", ''];
    const { code, stdout } = await checkout.run('icewright.mjs', words, tmpdir());
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toEqual({
      verb: 'exit',
      rest: words.slice(1),
      cwd: realpathSync(tmpdir()),
      cache: join(checkout.folder, 'cache', 'icewright', 'compile-cache'),
    });
  });

  it('passes SIGTERM on and waits for the end', async () => {
    checkout.installNode();
    const child = checkout.start('icewright.mjs', ['wait']);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([7, null]);
  });

  it('that was killed does not look like a success', async () => {
    checkout.installNode();
    const { code } = await checkout.run('icewright.mjs', ['die']);
    expect(code).not.toBe(0);
  });
});

/** The pid of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'close');
  return child.pid ?? 0;
}

describe('set-up', () => {
  it('installs from the lock file once, and again when the lock file has changed', async () => {
    expect((await checkout.run('setup.mjs', ['run', 'src/cli/main.ts', 'a'])).code).toBe(0);
    const again = await checkout.run('setup.mjs', ['run', 'src/cli/main.ts', 'b', '--days', '2']);
    expect(JSON.parse(again.stdout)).toMatchObject({ verb: 'b', rest: ['--days', '2'] });
    expect(checkout.npmCalls()).toHaveLength(1);
    expect(checkout.npmCalls()[0]).toMatch(/^ci\b/);
    checkout.write('package-lock.json', '{ "lockfileVersion": 3 }');
    await checkout.run('setup.mjs', ['run', 'src/cli/main.ts']);
    expect(checkout.npmCalls()).toHaveLength(2);
  });

  it('repeats an install that failed or was interrupted', async () => {
    checkout.write('npm-fails', '');
    const failed = await checkout.run('setup.mjs', ['run', 'src/cli/main.ts']);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('run the command again');
    rmSync(join(checkout.folder, 'npm-fails'));
    expect((await checkout.run('setup.mjs', ['run', 'src/cli/main.ts'])).code).toBe(0);
    expect(checkout.npmCalls()).toHaveLength(2);
  });

  it('begun twice at once installs once, and takes over from one that was killed', async () => {
    checkout.write('.icewright/install.lock', String(await endedPid()));
    const run = () => checkout.run('setup.mjs', ['run', 'src/cli/main.ts']);
    const codes = (await Promise.all([run(), run(), run()])).map(({ code }) => code);
    expect(codes).toEqual([0, 0, 0]);
    expect(checkout.npmCalls()).toHaveLength(1);
    expect(checkout.has('.icewright/install.lock')).toBe(false);
  });

  it('stops and resets by the command line, and not at all where nothing is installed', async () => {
    expect(await checkout.run('setup.mjs', ['stop'])).toMatchObject({ code: 0, stdout: '' });
    await checkout.run('setup.mjs', ['run', 'src/cli/main.ts']);
    const stop = await checkout.run('setup.mjs', ['stop']);
    expect(JSON.parse(stop.stdout)).toMatchObject({ verb: 'stack', rest: ['down'] });
    const reset = await checkout.run('setup.mjs', ['reset']);
    expect(JSON.parse(reset.stdout)).toMatchObject({ verb: 'stack', rest: ['reset'] });
  });

  it('refuses an unknown verb', async () => {
    expect((await checkout.run('setup.mjs', ['begin'])).code).toBe(2);
  });
});

describe('npm test', () => {
  const fine = '';
  const faulty = 'process.exitCode = 1;';

  /** A vitest that leaves this summary and ends with this code. */
  function vitest(summary: string | null, code: number): string {
    const write = `(await import('node:fs')).writeFileSync(process.env.VITEST_SUMMARY_FILE, `;
    return `${summary === null ? '' : `${write}'${summary}');`} process.exitCode = ${code};`;
  }

  /** Its last line and exit code. The tools are scripts, so only their sum is looked at. */
  async function runTests(
    tools: { tsc?: string; biome?: string; vitest: string },
    args: readonly string[] = [],
  ) {
    checkout.installNode();
    checkout.installTools({ tsc: fine, biome: fine, ...tools });
    checkout.write('only-tests.mjs', ONLY_TESTS);
    const { code, stdout } = await checkout.run('../only-tests.mjs', args);
    return { code, last: stdout.trimEnd().split('\n').at(-1) };
  }

  /** The tests' part alone: what comes before it is this machine's affair. */
  const ONLY_TESTS = `import { runTests } from './bin/test-run.mjs';
    process.exitCode = await runTests(process.argv.slice(2));`;

  it('ends with the sum over types, style and tests', async () => {
    const passing = vitest('{"passed":40,"failed":0}', 0);
    expect(await runTests({ vitest: passing })).toEqual({ code: 0, last: '42 passed, 0 failed' });
  });

  it('counts a type or style fault as failed', async () => {
    const passing = vitest('{"passed":40,"failed":0}', 0);
    const typed = await runTests({ tsc: faulty, vitest: passing });
    expect(typed).toEqual({ code: 1, last: '41 passed, 1 failed' });
    const styled = await runTests({ biome: faulty, vitest: passing });
    expect(styled).toEqual({ code: 1, last: '41 passed, 1 failed' });
  });

  it('fails when tests fail, when vitest breaks, and when nothing ran', async () => {
    const failing = await runTests({ vitest: vitest('{"passed":3,"failed":2}', 1) });
    expect(failing).toEqual({ code: 1, last: '5 passed, 2 failed' });
    const crashed = await runTests({ vitest: vitest(null, 1) });
    expect(crashed).toEqual({ code: 1, last: '2 passed, 1 failed' });
    const silent = await runTests({ vitest: vitest(null, 0) });
    expect(silent).toEqual({ code: 1, last: '2 passed, 1 failed' });
    const unexplained = await runTests({ vitest: vitest('{"passed":3,"failed":0}', 1) });
    expect(unexplained).toEqual({ code: 1, last: '5 passed, 1 failed' });
    const empty = await runTests({ vitest: vitest('{"passed":0,"failed":0}', 0) }, ['nothing']);
    expect(empty).toEqual({ code: 1, last: '0 passed, 0 failed' });
  });

  it('passes words on to vitest, and then runs only that', async () => {
    const echo = `${vitest('{"passed":1,"failed":0}', 0)}
      console.log(JSON.stringify(process.argv.slice(2)));`;
    checkout.installNode();
    checkout.installTools({ tsc: faulty, biome: faulty, vitest: echo });
    checkout.write('only-tests.mjs', ONLY_TESTS);
    const { code, stdout } = await checkout.run('../only-tests.mjs', ['test/domain', '-t', 'x y']);
    expect(code).toBe(0);
    expect(stdout).toContain('"test/domain","-t","x y"]');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 passed, 0 failed');
  });
});
