/** The command `npm run shop:advance`: lets days pass in the shop's database. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ERROR_RULES, IcewrightError } from '../../src/domain/errors.ts';
import { type AdvanceResult, advanceShop } from './advance.ts';

const HELP = `Usage: npm run shop:advance [-- --days N] [--json]

Lets N days (default 1) pass in the shop: new and changed customers, products, orders, clicks,
and deletions. The next nightly job takes the changes to the lake.

  --days N   1 to 366
  --json     one JSON document on stdout
  --help     this text

The shop is found by ICEWRIGHT_SHOP_URL, else by the settings of the stack that npm start raised.
`;

async function main(argv: readonly string[]): Promise<void> {
  const { values } = readArguments(argv);
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const result = await advanceShop(await findShopUrl(), { days: readDays(values.days) });
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : describe(result));
}

function readArguments(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        days: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    });
  } catch (error) {
    throw new IcewrightError('UsageInvalid', `${(error as Error).message}\n\n${HELP}`);
  }
}

/** Number('') is 0 and Number('1e2') is 100: only digits are days. */
function readDays(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new IcewrightError('UsageInvalid', `--days ${text}: expected a whole number, such as 2`);
  }
  return Number(text);
}

async function findShopUrl(): Promise<string> {
  const given = process.env.ICEWRIGHT_SHOP_URL;
  if (given !== undefined && given !== '') return given;
  const project = fileURLToPath(new URL('../..', import.meta.url));
  const home = process.env.ICEWRIGHT_HOME || join(project, '.icewright');
  const file = join(home, 'settings.json');
  const text = await readFile(file, 'utf8').catch(() => null);
  const url = text === null ? undefined : JSON.parse(text).ICEWRIGHT_SHOP_URL;
  if (typeof url === 'string') return url;
  throw new IcewrightError(
    'ConfigInvalid',
    `no shop is known: ICEWRIGHT_SHOP_URL is not set and ${file} does not name one. ` +
      'Start the stack with: npm start',
  );
}

function describe(result: AdvanceResult): string {
  const lines = Object.entries(result.changes).map(
    ([table, counts]) =>
      `  ${table.padEnd(14)}${counts.created} created, ${counts.updated} updated, ` +
      `${counts.deleted} deleted`,
  );
  const span = `${result.from.slice(0, 10)} to ${result.to.slice(0, 10)}`;
  const days = result.days === 1 ? '1 day' : `${result.days} days`;
  return `The shop lived through ${days}, ${span}:\n${lines.join('\n')}\n`;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const known = error instanceof IcewrightError;
  const code = known ? error.code : 'StackFailed';
  const message = error instanceof Error ? error.message : String(error);
  if (process.argv.includes('--json')) {
    const details = known ? error.details : {};
    process.stdout.write(`${JSON.stringify({ error: { code, message, details } })}\n`);
  }
  process.stderr.write(`${message}\n`);
  process.exitCode = ERROR_RULES[code].exitCode;
}
