/** New orders with one to five lines. */
import { cents, toCents } from './people.ts';
import type { Random } from './random.ts';
import type { ItemRow, OrderRow } from './rows.ts';

export interface PricedProduct {
  readonly product_id: number;
  readonly price: string;
}

export interface OrderWish {
  readonly orderId: number;
  readonly customerId: number;
  readonly status: string;
  readonly orderedAt: Date;
  readonly updatedAt: Date;
}

export interface NewOrder {
  readonly order: OrderRow;
  readonly items: readonly ItemRow[];
}

export function createOrder(
  random: Random,
  wish: OrderWish,
  products: readonly PricedProduct[],
): NewOrder {
  const items = random.sample(products, random.int(1, 5)).map((product, index) => ({
    order_id: wish.orderId,
    line_no: index + 1,
    product_id: product.product_id,
    quantity: random.chance(0.7) ? 1 : random.int(2, 6),
    unit_price: random.chance(0.9) ? product.price : reduced(product.price),
  }));
  return {
    order: {
      order_id: wish.orderId,
      customer_id: wish.customerId,
      status: wish.status,
      ordered_at: wish.orderedAt.toISOString(),
      updated_at: wish.updatedAt.toISOString(),
    },
    items,
  };
}

/** Ten per cent off, rounded down to the cent. */
function reduced(price: string): string {
  return cents(Math.max(1, Math.floor((toCents(price) * 90) / 100)));
}

/** What has usually become of an order after so many days. */
export function statusAtAge(random: Random, ageDays: number): string {
  if (ageDays >= 2 && random.chance(0.08)) return 'cancelled';
  if (ageDays < 1) return random.pick(['placed', 'paid']);
  if (ageDays < 3) return random.pick(['paid', 'shipped']);
  if (ageDays < 10) return random.pick(['shipped', 'delivered']);
  return 'delivered';
}
