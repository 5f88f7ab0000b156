/** Every command, loaded only when it is asked for: the command line must answer at once. */
import type { Command } from './command.ts';

type Loader = () => Promise<Command>;

export const COMMANDS: Readonly<Record<string, Loader>> = {
  start: async () => (await import('./commands/start.ts')).start,
  'stack up': async () => (await import('./commands/stack.ts')).stackUp,
  'stack down': async () => (await import('./commands/stack.ts')).stackDown,
  'stack status': async () => (await import('./commands/stack.ts')).stackStatusCommand,
  'stack reset': async () => (await import('./commands/stack.ts')).stackReset,
  nightly: async () => (await import('./commands/nightly.ts')).nightly,
  'transform run': async () => (await import('./commands/transform.ts')).transformRun,
  'transform plan': async () => (await import('./commands/transform.ts')).transformPlan,
  health: async () => (await import('./commands/health.ts')).health,
  plan: async () => (await import('./commands/plan.ts')).plan,
  apply: async () => (await import('./commands/plan.ts')).apply,
  explain: async () => (await import('./commands/explain.ts')).explain,
  compact: async () => (await import('./commands/compact.ts')).compact,
  expire: async () => (await import('./commands/expire.ts')).expire,
  orphans: async () => (await import('./commands/orphans.ts')).orphans,
  manifests: async () => (await import('./commands/manifests.ts')).manifests,
  deletes: async () => (await import('./commands/deletes.ts')).deletes,
  statistics: async () => (await import('./commands/statistics.ts')).statistics,
  properties: async () => (await import('./commands/properties.ts')).properties,
  'sweep status': async () => (await import('./commands/sweep.ts')).sweepStatus,
  'sweep now': async () => (await import('./commands/sweep.ts')).sweepNow,
  'runs list': async () => (await import('./commands/runs.ts')).runsList,
  'runs show': async () => (await import('./commands/runs.ts')).runsShow,
  'runs cancel': async () => (await import('./commands/runs.ts')).runsCancel,
  'erase request': async () => (await import('./commands/erase.ts')).eraseRequest,
  'erase approve': async () => (await import('./commands/erase.ts')).eraseApprove,
  'erase cancel': async () => (await import('./commands/erase.ts')).eraseCancel,
  'erase hold': async () => (await import('./commands/erase.ts')).eraseHold,
  'erase lift': async () => (await import('./commands/erase.ts')).eraseLift,
  'erase pause': async () => (await import('./commands/erase.ts')).erasePause,
  'erase resume': async () => (await import('./commands/erase.ts')).eraseResume,
  'erase except': async () => (await import('./commands/erase.ts')).eraseExcept,
  'erase retry': async () => (await import('./commands/erase.ts')).eraseRetry,
  'erase list': async () => (await import('./commands/erase-show.ts')).eraseList,
  'erase status': async () => (await import('./commands/erase-show.ts')).eraseStatus,
  'erase certificate': async () => (await import('./commands/erase-proof.ts')).eraseCertificate,
  'erase verify': async () => (await import('./commands/erase-proof.ts')).eraseVerify,
  pause: async () => (await import('./commands/pause.ts')).pause,
  resume: async () => (await import('./commands/pause.ts')).resume,
  'policies check': async () => (await import('./commands/policies.ts')).policiesCheck,
  'policies diff': async () => (await import('./commands/policies.ts')).policiesDiff,
  'policies apply': async () => (await import('./commands/policies.ts')).policiesApply,
  'policies simulate': async () =>
    (await import('./commands/policies-simulate.ts')).policiesSimulate,
  worker: async () => (await import('./commands/worker.ts')).worker,
};

export function loadCommand(name: string): Promise<Command> {
  return (COMMANDS[name] as Loader)();
}
