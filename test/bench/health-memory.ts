/** Measures one table in a process of its own and prints what that cost, as JSON. */
import { readConfig } from '../../src/config.ts';
import { createObjectStore } from '../../src/storage/object-store.ts';
import { freshCatalog, tableRef } from './health-parts.ts';

const config = readConfig();
const store = createObjectStore(config.storage);
const options = { nowMs: Date.now(), depth: 'files' } as const;
const [small, large] = process.argv.slice(2) as [string, string];
const { catalog } = freshCatalog(config, store);

// Idle is a process that has its code and connections.
await catalog.measureTable(tableRef(config, small), options);
const idleMb = process.resourceUsage().maxRSS / 1024;
const health = await catalog.measureTable(tableRef(config, large), options);
const peakMb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(JSON.stringify({ files: health.dataFiles, idleMb, peakMb }));
store.close();
