import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClicks } from '../../stack/shop/clicks.ts';
import { createOrder } from '../../stack/shop/orders.ts';
import { cents, createCustomer, createProduct, toCents } from '../../stack/shop/people.ts';
import { createRandom } from '../../stack/shop/random.ts';
import { openingTime } from '../../stack/shop/seed.ts';

const AT = new Date('2026-03-01T00:00:00Z');

describe('chance', () => {
  test('repeats for one seed and label, and differs for others', () => {
    const draw = (seed: number, label: string) => {
      const random = createRandom(seed, label);
      return Array.from({ length: 20 }, () => random.int(0, 1_000_000));
    };
    expect(draw(1, 'orders')).toEqual(draw(1, 'orders'));
    expect(draw(1, 'orders')).not.toEqual(draw(2, 'orders'));
    expect(draw(1, 'orders')).not.toEqual(draw(1, 'clicks'));
  });

  test('stays within its bounds, and a sample repeats no member', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(50), fc.nat(60), (seed, size, count) => {
        const random = createRandom(seed, 'x');
        const members = Array.from({ length: size }, (_, index) => index);
        const taken = random.sample(members, count);
        expect(taken).toHaveLength(Math.min(size, count));
        expect(new Set(taken).size).toBe(taken.length);
        const value = random.int(3, 7);
        expect(value >= 3 && value <= 7).toBe(true);
      }),
    );
  });

  test('opens the shop at a midnight of its own', () => {
    expect(openingTime(1).toISOString()).toBe('2026-03-02T00:00:00.000Z');
    expect(openingTime(29)).toEqual(openingTime(1));
  });
});

describe('money', () => {
  test('is whole cents there and back', () => {
    fc.assert(fc.property(fc.nat(9_999_999), (amount) => toCents(cents(amount)) === amount));
    expect(cents(5)).toBe('0.05');
  });
});

describe('rows', () => {
  test('clicks are as many as asked, in order of time, inside their span', () => {
    const wish = {
      count: 500,
      fromMs: AT.getTime() - 86_400_000,
      toMs: AT.getTime(),
      customerIds: [1, 2, 3],
      productIds: [1, 2, 3, 4, 5, 6],
      firstEventId: 11,
      keyPrefix: 'v9',
    };
    const clicks = createClicks(createRandom(1, 'clicks'), wish);
    expect(clicks.map((one) => one.event_id)).toEqual(clicks.map((_, index) => 11 + index));
    const times = clicks.map((one) => Date.parse(one.occurred_at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.every((at) => at >= wish.fromMs && at < wish.toMs)).toBe(true);
    expect(clicks.some((one) => one.customer_id === null)).toBe(true);
    expect(clicks.some((one) => one.customer_id !== null)).toBe(true);
  });

  test('an order has one to five lines of different products', () => {
    const random = createRandom(1, 'orders');
    const products = Array.from({ length: 9 }, (_, index) => createProduct(random, index + 1, AT));
    for (let orderId = 1; orderId <= 200; orderId += 1) {
      const wish = { orderId, customerId: 1, status: 'placed', orderedAt: AT, updatedAt: AT };
      const { items } = createOrder(random, wish, products);
      expect(items.length >= 1 && items.length <= 5).toBe(true);
      expect(new Set(items.map((one) => one.product_id)).size).toBe(items.length);
    }
  });

  test('people are reached at addresses that nobody has', () => {
    const customer = createCustomer(createRandom(1, 'customers'), 7, AT);
    expect(customer.email).toMatch(/\.7@example\.(com|org|net)$/);
    expect(customer.card_number ?? '4000000000000000').toMatch(/^40000000\d{8}$/);
  });
});
