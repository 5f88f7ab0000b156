/** One service over its life: start, wait until it serves, watch, start again, stop. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IcewrightError } from '../../src/domain/errors.ts';
import { countEndings, restartDelayMs } from './backoff.ts';
import { openLog } from './log-file.ts';
import { endProcess, identifyProcess, type ProcessIdentity } from './process-identity.ts';
import type { Launch, Service } from './service.ts';
import type { ServiceRecord, ServiceState } from './state.ts';

const PROBE_EVERY_MS = 100;
const PREPARE_TIMEOUT_MS = 60_000;

export class ManagedService {
  readonly service: Service;
  readonly log: string;
  readonly #changed: () => void;
  #state: ServiceState = 'waiting';
  #child: ChildProcess | undefined;
  #process: ProcessIdentity | undefined;
  #startedAt: Date | undefined;
  #readyAt: Date | undefined;
  #restarts = 0;
  #endings = 0;
  #problem: string | null = null;
  readonly #stopping = new AbortController();

  /** `changed` is called after every change of the record, and must store it before it returns. */
  constructor(service: Service, logs: string, changed: () => void) {
    this.service = service;
    this.log = join(logs, `${service.name}.log`);
    this.#changed = changed;
  }

  get state(): ServiceState {
    return this.#state;
  }

  get record(): ServiceRecord {
    const { name, version, endpoint, stop } = this.service;
    const tookMs = (this.#readyAt?.getTime() ?? Number.NaN) - (this.#startedAt?.getTime() ?? 0);
    return {
      ...{ name, version, endpoint, state: this.#state },
      pid: this.#process?.pid ?? null,
      process: this.#process ?? null,
      startedAt: this.#startedAt?.toISOString() ?? null,
      readyAfterMs: Number.isNaN(tookMs) ? null : tookMs,
      restarts: this.#restarts,
      endings: this.#endings,
      problem: this.#problem,
      log: this.log,
      stop,
    };
  }

  /**
   * Starts it for the first time, once its needs are met. Resolves when it serves (true), or when
   * it failed, was stopped, or its needs were not met (false). A first start that fails is a fault
   * to be shown, not one to be tried over and over.
   */
  async start(needsMet: Promise<boolean>): Promise<boolean> {
    try {
      // What it needs to start is made while its needs start.
      const launch = await this.#prepare();
      if (!(await needsMet)) return false;
      await this.#launch(launch);
      return true;
    } catch (error) {
      if (this.#stopping.signal.aborted) return false;
      await this.#end();
      this.#process = undefined;
      this.#set('failed', error);
      return false;
    }
  }

  /** Stops it for good: its own signal, then SIGKILL after its own time. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#process !== undefined) this.#set('stopping');
    await this.#end();
    this.#process = undefined;
    this.#set('stopped');
  }

  /**
   * Preparing takes seconds. Seen once on a starved machine: a compiler that had ended was never
   * reported as ended, and its service waited for ever. The second try finds what the first made.
   */
  async #prepare(): Promise<Launch> {
    for (let tries = 1; ; tries += 1) {
      const launch = await Promise.race([
        this.service.prepare(),
        sleep(PREPARE_TIMEOUT_MS, undefined, { ref: false, signal: this.#stopping.signal }),
      ]);
      if (launch !== undefined) return launch;
      if (tries === 2) {
        throw new IcewrightError('StackFailed', 'what it needs to start could not be made in time');
      }
    }
  }

  async #launch({ file, args, ...options }: Launch): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    this.#set('starting');
    this.#readyAt = undefined;
    const output = openLog(this.log);
    const stdio = ['ignore' as const, output, output];
    try {
      // In a session of its own: a Ctrl-C or the end of the supervisor does not reach it.
      this.#child = spawn(file, [...args], { ...options, stdio, detached: true });
    } finally {
      closeSync(output);
    }
    const ended = this.#watch(this.#child);
    this.#startedAt = new Date();
    this.#process = this.#child.pid === undefined ? undefined : identifyProcess(this.#child.pid);
    this.#changed();
    await this.#awaitReady(ended);
    this.#readyAt = new Date();
    this.#problem = null;
    this.#set('ready');
    ended.promise.then((how) => this.#recover(how));
  }

  #watch(child: ChildProcess): { promise: Promise<string>; how: string | undefined } {
    const watch = { promise: Promise.resolve(''), how: undefined as string | undefined };
    watch.promise = new Promise((settle) => {
      const end = (how: string): void => {
        watch.how ??= how;
        settle(watch.how);
      };
      child.once('error', (error) => end(error.message));
      child.once('exit', (code, signal) =>
        end(signal ? `killed by ${signal}` : `exit code ${code}`),
      );
    });
    return watch;
  }

  async #awaitReady(ended: { readonly how: string | undefined }): Promise<void> {
    const deadline = Date.now() + this.service.readyTimeoutMs;
    while (Date.now() < deadline) {
      this.#stopping.signal.throwIfAborted();
      if (ended.how !== undefined) {
        throw new IcewrightError('StackFailed', `it ended while it started (${ended.how})`);
      }
      if (await this.service.probe()) return;
      await sleep(PROBE_EVERY_MS);
    }
    const seconds = this.service.readyTimeoutMs / 1000;
    throw new IcewrightError('StackFailed', `it did not serve within ${seconds} s`);
  }

  /** It served and then ended by itself: start it again, for as long as the stack is up. */
  async #recover(how: string): Promise<void> {
    let problem: unknown = `it ended (${how})`;
    while (!this.#stopping.signal.aborted) {
      const servedMs = this.#readyAt === undefined ? 0 : Date.now() - this.#readyAt.getTime();
      this.#endings = countEndings(this.#endings, servedMs);
      await this.#end();
      this.#process = undefined;
      this.#set('restarting', problem);
      try {
        await sleep(restartDelayMs(this.#endings), undefined, { signal: this.#stopping.signal });
        this.#restarts += 1;
        await this.#launch(await this.#prepare());
        return;
      } catch (error) {
        problem = error;
      }
    }
  }

  async #end(): Promise<void> {
    if (this.#process === undefined) return;
    await endProcess(this.#process, this.service.stop.signal, this.service.stop.timeoutMs);
  }

  #set(state: ServiceState, problem?: unknown): void {
    this.#state = state;
    if (problem !== undefined) {
      this.#problem = problem instanceof Error ? problem.message : String(problem);
    }
    this.#changed();
  }
}
