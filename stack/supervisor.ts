/** Runs a set of services: starts each as early as its needs allow, stops users before the used. */
import { IcewrightError } from '../src/domain/errors.ts';
import { createHome, type StackHome } from './home.ts';
import { ManagedService } from './services/managed.ts';
import { identifyProcess, type ProcessIdentity } from './services/process-identity.ts';
import type { Service } from './services/service.ts';
import { type ServiceRecord, writeState } from './services/state.ts';

export class Supervisor {
  readonly #home: StackHome;
  readonly #identity: ProcessIdentity;
  readonly #startedAt = new Date();
  readonly #managed = new Map<string, ManagedService>();
  /** Per service: its first start, true once it serves. */
  #starts = new Map<string, Promise<boolean>>();
  readonly #pending = new Set<string>();
  #request = '';
  #stopped: Promise<void> | undefined;

  constructor(home: StackHome) {
    this.#home = home;
    const identity = identifyProcess(process.pid);
    if (identity === undefined) {
      throw new IcewrightError(
        'StackFailed',
        'cannot read the start time of a process: is ps there?',
      );
    }
    this.#identity = identity;
    createHome(home);
  }

  get records(): readonly ServiceRecord[] {
    return [...this.#managed.values()].map((one) => one.record);
  }

  /**
   * Starts what is not there yet, and once more what failed or waited for what failed. Resolves
   * when all of them serve or failed. `request` is repeated in the state file.
   */
  async run(services: readonly Service[], request: string): Promise<void> {
    if (this.#stopped !== undefined) return;
    const added = services.filter(({ name }) => !this.#isUnderWay(name));
    for (const service of added) {
      const managed = new ManagedService(service, this.#home.logs, () => this.#store());
      this.#managed.set(service.name, managed);
    }
    this.#request = request;
    this.#store();
    const starts = new Map(this.#starts);
    const allKnown = Promise.withResolvers<void>();
    for (const service of added) {
      const start = allKnown.promise.then(() => this.#startAfterNeeds(service, starts));
      this.#pending.add(service.name);
      starts.set(
        service.name,
        start.finally(() => this.#pending.delete(service.name)),
      );
    }
    this.#starts = starts;
    allKnown.resolve();
    await Promise.all(starts.values());
  }

  /** Stops everything, rank by rank. Further calls wait for the first. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    await this.#stopped;
  }

  #isUnderWay(name: string): boolean {
    const state = this.#managed.get(name)?.state;
    return (
      this.#pending.has(name) || (state !== undefined && state !== 'failed' && state !== 'waiting')
    );
  }

  async #startAfterNeeds(
    service: Service,
    starts: ReadonlyMap<string, Promise<boolean>>,
  ): Promise<boolean> {
    const needs = Promise.all(service.needs.map((need) => starts.get(need) ?? true));
    const met = needs.then((all) => this.#stopped === undefined && !all.includes(false));
    return (await this.#managed.get(service.name)?.start(met)) ?? false;
  }

  async #stopAll(): Promise<void> {
    const all = [...this.#managed.values()];
    const ranks = [...new Set(all.map((one) => one.service.stop.rank))].sort((a, b) => a - b);
    for (const rank of ranks) {
      const peers = all.filter((one) => one.service.stop.rank === rank);
      await Promise.all(peers.map((one) => one.stop()));
    }
  }

  #store(): void {
    writeState(this.#home, {
      supervisor: this.#identity,
      startedAt: this.#startedAt.toISOString(),
      request: this.#request,
      services: this.records,
    });
  }
}
