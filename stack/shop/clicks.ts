/** Visits to the shop as click events. */
import type { Random } from './random.ts';
import type { ClickRow } from './rows.ts';

const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
  'Mozilla/5.0 (Macintosh) Safari/26.0',
  'Mozilla/5.0 (iPhone; Mobile) Safari/26.0',
  'Mozilla/5.0 (Android 16; Mobile) Firefox/140.0',
];
const NETWORKS = ['192.0.2', '198.51.100', '203.0.113'];
const MINUTE = 60_000;

export interface ClickWish {
  readonly count: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly customerIds: readonly number[];
  readonly productIds: readonly number[];
  readonly firstEventId: number;
  /** Keeps browser keys of one day apart from those of another. */
  readonly keyPrefix: string;
}

type Click = Omit<ClickRow, 'event_id' | 'occurred_at'> & { readonly atMs: number };

/** Exactly `count` events in order of time; four visitors of ten are anonymous. */
export function createClicks(random: Random, wish: ClickWish): ClickRow[] {
  const clicks: Click[] = [];
  for (let visitor = 1; clicks.length < wish.count; visitor += 1) {
    clicks.push(...visit(random, wish, `${wish.keyPrefix}-${visitor}`));
  }
  const kept = clicks.slice(0, wish.count).sort((a, b) => a.atMs - b.atMs);
  return kept.map(({ atMs, ...click }, index) => ({
    event_id: wish.firstEventId + index,
    ...click,
    occurred_at: new Date(atMs).toISOString(),
  }));
}

/** One browser: one visit, or two with more than half an hour between them. */
function visit(random: Random, wish: ClickWish, sessionKey: string): Click[] {
  const known = wish.customerIds.length > 0 && !random.chance(0.4);
  const visitor = {
    customer_id: known ? random.pick(wish.customerIds) : null,
    session_key: sessionKey,
    user_agent: random.pick(AGENTS),
    ip: `${random.pick(NETWORKS)}.${random.int(1, 254)}`,
  };
  const clicks: Click[] = [];
  let atMs = random.int(wish.fromMs, Math.max(wish.fromMs, wish.toMs - 4 * 60 * MINUTE));
  for (let left = random.chance(0.15) ? 2 : 1; left > 0; left -= 1) {
    for (const step of walk(random, wish.productIds)) {
      clicks.push({ ...visitor, ...step, atMs: Math.min(atMs, wish.toMs - 1) });
      atMs += random.int(3_000, 4 * MINUTE);
    }
    atMs += random.int(45, 110) * MINUTE;
  }
  return clicks;
}

type Step = Pick<ClickRow, 'event_type' | 'product_id' | 'url'>;

/** Home, some products, perhaps the cart, perhaps the till. */
function walk(random: Random, productIds: readonly number[]): Step[] {
  const page = (event_type: string, url: string): Step => ({ event_type, product_id: null, url });
  const steps: Step[] = [page('page_view', random.chance(0.5) ? '/' : '/search?q=gift')];
  if (random.chance(0.2)) return steps;
  const seen = random.sample(productIds, random.int(1, 5));
  for (const id of seen) {
    steps.push({ event_type: 'product_view', product_id: id, url: `/products/${id}` });
  }
  if (!random.chance(0.4)) return steps;
  steps.push({ event_type: 'add_to_cart', product_id: random.pick(seen), url: '/cart' });
  if (!random.chance(0.6)) return steps;
  steps.push(page('checkout', '/checkout'));
  if (random.chance(0.7)) steps.push(page('purchase', '/thanks'));
  return steps;
}
