/** Gauges of maintenance sweeps, by policy: whether they begin in time, and what their budgets let them do. */
import type { Registry } from 'prom-client';
import type { MaintenanceChoice, MaintenanceTurn } from '../activities/ports.ts';
import { addGauge } from './table-gauges.ts';

export interface SweepGauges {
  /** As `Meter.sweepsRead`. */
  read(turns: readonly MaintenanceTurn[]): void;
  /** As `Meter.sweepChose`. */
  chose(choice: MaintenanceChoice): void;
}

export function createSweepGauges(registry: Registry): SweepGauges {
  let turns: readonly MaintenanceTurn[] = [];
  const choices = new Map<string, MaintenanceChoice>();
  registerTurns(registry, () => turns);
  registerChoices(registry, choices);
  return {
    read: (now) => {
      turns = now;
      const names = new Set(now.map((one) => one.policy));
      for (const policy of choices.keys()) if (!names.has(policy)) choices.delete(policy);
    },
    chose: (choice) => {
      choices.set(choice.policy, choice);
    },
  };
}

function registerTurns(registry: Registry, turns: () => readonly MaintenanceTurn[]): void {
  const gauges: readonly (readonly [string, string, (one: MaintenanceTurn) => number | null])[] = [
    [
      'icewright_maintenance_sweep_open',
      '1: the window of the sweep policy is open and the policy is not paused.',
      ({ open }) => Number(open),
    ],
    [
      'icewright_maintenance_sweep_interval_seconds',
      'Time between two sweeps of the policy while its window is open.',
      ({ everyMs }) => everyMs / 1000,
    ],
    [
      'icewright_maintenance_sweep_last_start_timestamp_seconds',
      'When the last sweep of the policy began, in seconds since 1970.',
      ({ lastStartMs }) => lastStartMs && lastStartMs / 1000,
    ],
  ];
  for (const [name, help, read] of gauges) {
    addGauge(registry, { name, help, labelNames: ['policy'] }, (gauge) => {
      for (const turn of turns()) {
        const value = read(turn);
        if (value !== null) gauge.set({ policy: turn.policy }, value);
      }
    });
  }
}

function registerChoices(
  registry: Registry,
  choices: ReadonlyMap<string, MaintenanceChoice>,
): void {
  const tables = {
    name: 'icewright_maintenance_sweep_tables',
    help: 'Tables with something to do at the last sweep: chosen, or left because of the budget or others.',
    labelNames: ['policy', 'choice'],
  };
  addGauge(registry, tables, (gauge) => {
    for (const { policy, chosen, left } of choices.values()) {
      gauge.set({ policy, choice: 'chosen' }, chosen);
      gauge.set({ policy, choice: 'left' }, left);
    }
  });
  const figures: readonly (readonly [string, string, (of: MaintenanceChoice) => number | null])[] =
    [
      ['spent_bytes', 'Bytes rewritten in the window until the last sweep.', (o) => o.spent.bytes],
      ['budget_bytes', 'Bytes that a window allows; no sample: no limit.', (o) => o.budget.bytes],
      [
        'spent_engine_seconds',
        'Engine seconds in the window until the last sweep.',
        (of) => of.spent.engineSeconds,
      ],
      [
        'budget_engine_seconds',
        'Engine seconds that a window allows; no sample: no limit.',
        (of) => of.budget.engineSeconds,
      ],
    ];
  for (const [suffix, help, read] of figures) {
    const name = `icewright_maintenance_sweep_${suffix}`;
    addGauge(registry, { name, help, labelNames: ['policy'] }, (gauge) => {
      for (const choice of choices.values()) {
        const value = read(choice);
        if (value !== null) gauge.set({ policy: choice.policy }, value);
      }
    });
  }
}
