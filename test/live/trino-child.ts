/**
 * A process to be killed: runs one statement on Trino and prints each handle and state as a line.
 * Arguments: Trino's address, user, key, SQL.
 */
import { createTrinoRunner } from '../../src/engines/trino/run.ts';

const [url = '', user = '', key = '', sql = ''] = process.argv.slice(2);
const runner = createTrinoRunner({ url, user, catalog: 'lake' });
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
await runner.run(
  { engine: 'trino', sql },
  {
    key,
    session: 'child',
    onStarted: (handle) => say({ handle }),
    onProgress: (progress) => say({ state: progress.state }),
  },
);
say({ done: true });
