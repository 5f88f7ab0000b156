/** A small checkout with our own bin/ and stack/, where npm, Node and the test tools are scripts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** What the command line says when it runs: its words, its folder, its compile cache. */
const CLI = `
  const [verb, ...rest] = process.argv.slice(2);
  if (verb === 'wait') {
    process.on('SIGTERM', () => process.exit(7));
    setInterval(() => {}, 1000);
  }
  const cache = process.env.NODE_COMPILE_CACHE;
  console.log(JSON.stringify({ verb, rest, cwd: process.cwd(), cache }));
  if (verb === 'exit') process.exit(Number(rest[0]));
  if (verb === 'die') process.kill(process.pid, 'SIGKILL');
`;

/** Stands in for npm: notes each call, and installs a Node that is this one. */
const NPM = `#!${process.execPath}
  const fs = require('node:fs');
  fs.appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
  fs.rmSync('node_modules', { recursive: true, force: true });
  fs.mkdirSync('node_modules/node/bin', { recursive: true });
  if (fs.existsSync('npm-fails')) process.exit(1);
  fs.symlinkSync(process.execPath, 'node_modules/node/bin/node');
`;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Checkout {
  readonly folder = mkdtempSync(join(tmpdir(), 'icewright-setup-'));

  constructor() {
    cpSync(join(ROOT, 'bin'), join(this.folder, 'bin'), { recursive: true });
    cpSync(join(ROOT, 'stack'), join(this.folder, 'stack'), { recursive: true });
    this.write('package.json', '{ "type": "module" }');
    this.write('package-lock.json', '{}');
    this.write('src/cli/main.ts', CLI);
    this.write('tools/package.json', '{ "type": "commonjs" }');
    this.write('tools/npm', NPM);
    chmodSync(join(this.folder, 'tools', 'npm'), 0o755);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  has(path: string): boolean {
    return existsSync(join(this.folder, path));
  }

  /** How often npm was called, and with what. */
  npmCalls(): readonly string[] {
    if (!this.has('npm-calls')) return [];
    return readFileSync(join(this.folder, 'npm-calls'), 'utf8').trim().split('\n');
  }

  /** The pinned Node alone, as after an install. */
  installNode(): void {
    if (this.has('node_modules/node/bin/node')) return;
    mkdirSync(join(this.folder, 'node_modules', 'node', 'bin'), { recursive: true });
    const node = join(this.folder, 'node_modules', 'node', 'bin', 'node');
    symlinkSync(process.execPath, node);
  }

  /** Scripts in the place of tsc, biome and vitest. Each is the body of a Node program. */
  installTools(tools: { tsc: string; biome: string; vitest: string }): void {
    for (const name of ['tsc', 'biome'] as const) {
      this.write(`node_modules/.bin/${name}`, `#!${process.execPath}\n${tools[name]}`);
      chmodSync(join(this.folder, 'node_modules', '.bin', name), 0o755);
    }
    this.write('node_modules/vitest/vitest.mjs', tools.vitest);
  }

  start(script: string, args: readonly string[], cwd = this.folder) {
    return spawn(process.execPath, [join(this.folder, 'bin', script), ...args], {
      cwd,
      env: {
        HOME: this.folder,
        PATH: `${join(this.folder, 'tools')}:${process.env.PATH ?? ''}`,
        XDG_CACHE_HOME: join(this.folder, 'cache'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async run(script: string, args: readonly string[], cwd?: string): Promise<Outcome> {
    const child = this.start(script, args, cwd);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const [code] = await once(child, 'close');
    return { code: code as number | null, stdout, stderr };
  }
}
