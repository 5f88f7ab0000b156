/** Connections to the shop, and its clock. */
import { Client } from 'pg';
import { IcewrightError } from '../../src/domain/errors.ts';

export interface ShopClock {
  readonly seed: number;
  readonly dayNumber: number;
  readonly now: Date;
  readonly nextCustomerId: number;
  readonly nextOrderId: number;
  readonly nextEventId: number;
}

/** Opens one connection for `work` and closes it; `work` runs in one transaction. */
export async function inTransaction<T>(
  url: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'icewright-shop' });
  await connect(client, url);
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // The connection may be gone; the first error is the one that tells.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await client.end();
  }
}

async function connect(client: Client, url: string): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    const place = new URL(url);
    throw new IcewrightError(
      'StackFailed',
      `the shop's database ${place.host}${place.pathname} does not answer: ${messageOf(error)}. ` +
        'Is the stack up? Start it with: npm start',
      {},
      error,
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof AggregateError
    ? error.errors.map(messageOf).join('; ')
    : error instanceof Error
      ? error.message
      : String(error);
}

/** The clock, held until the transaction ends so that no other process lives the same day. */
export async function lockClock(client: Client): Promise<ShopClock | null> {
  const { rows } = await client.query('SELECT * FROM shop_clock FOR UPDATE');
  const row = rows[0];
  if (row === undefined) return null;
  return {
    seed: Number(row.seed),
    dayNumber: row.day_number,
    now: row.now_at,
    nextCustomerId: Number(row.next_customer_id),
    nextOrderId: Number(row.next_order_id),
    nextEventId: Number(row.next_event_id),
  };
}

/** Changes from here on happen at this time of the shop. */
export async function setTime(client: Client, now: Date): Promise<void> {
  await client.query('UPDATE shop_clock SET now_at = $1', [now.toISOString()]);
}
