/** Whether the stack has a Prometheus of its own: it never keeps the rest from starting. */
import { readJson, type StackHome } from './home.ts';
import { isPortFree, PORT_VARIABLES, type StackPorts } from './ports.ts';
import { PROMETHEUS_REMEDY } from './provision/prometheus.ts';
import { isRunning } from './services/process-identity.ts';
import type { StackParts } from './services/service.ts';
import { readState } from './services/state.ts';

/** Why the stack goes without Prometheus, for people; undefined when it has one. */
export async function explainNoPrometheus(
  home: StackHome,
  ports: StackPorts,
  parts: StackParts,
): Promise<string | undefined> {
  if (parts.prometheus === undefined) {
    return `the stack runs without Prometheus: to have it, ${PROMETHEUS_REMEDY}`;
  }
  if (isOurs(home, ports) || (await isPortFree(ports.prometheus))) return undefined;
  return (
    `the stack runs without Prometheus: port ${ports.prometheus} is taken; ` +
    `choose another with ${PORT_VARIABLES.prometheus}`
  );
}

function isOurs(home: StackHome, ports: StackPorts): boolean {
  const kept = readJson<{ readonly ports: StackPorts }>(home.config)?.ports;
  const record = readState(home)?.services.find(({ name }) => name === 'prometheus');
  const alive = record?.process != null && isRunning(record.process);
  return alive && kept?.prometheus === ports.prometheus;
}
