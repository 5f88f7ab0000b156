/** What the steps of a sweep need from outside. */
import type { PlanningDeps } from '../planning/inputs.ts';
import type { Meter } from '../ports.ts';

export interface SweepDeps extends PlanningDeps {
  readonly meter: Pick<Meter, 'maintenancePlanned' | 'sweepsRead' | 'sweepChose'>;
}
