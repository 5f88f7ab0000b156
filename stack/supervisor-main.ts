/**
 * The supervisor's process: detached, one per home. SIGHUP: read run/stack.json again and start
 * what is missing. SIGTERM or SIGINT: stop everything, then end.
 */
import { loadContext, readStackConfig } from './config.ts';
import { describeHome } from './home.ts';
import { buildServices } from './services/index.ts';
import { Supervisor } from './supervisor.ts';

const home = describeHome(process.argv[2] ?? '');
const supervisor = new Supervisor(home);

async function run(): Promise<void> {
  const config = readStackConfig(home);
  const services = buildServices(loadContext(home, config), config.services);
  await supervisor.run(services, config.request);
}

async function stop(): Promise<void> {
  await supervisor.stop();
  process.exit(0);
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on('SIGHUP', () => {
  run().catch((error) => console.error(error));
});
// Keeps the process there while every service is failed or waiting.
setInterval(() => {}, 3_600_000);
await run();
