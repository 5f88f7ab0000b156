/** Invented customers and products. Addresses, phones and cards are of ranges kept for examples. */
import type { Random } from './random.ts';
import type { CustomerRow, ProductRow } from './rows.ts';

const FIRST = ['Ada', 'Bo', 'Chen', 'Dara', 'Emil', 'Fatou', 'Goran', 'Hana', 'Ines', 'Jonas'];
const MORE = ['Kofi', 'Lena', 'Mira', 'Noor', 'Olga', 'Pavel', 'Quinn', 'Rosa', 'Sami', 'Tove'];
const LAST = ['Abel', 'Berg', 'Costa', 'Dahl', 'Eker', 'Faye', 'Grau', 'Horn', 'Ito', 'Juul'];
const LAST_MORE = ['Kaya', 'Lund', 'Moro', 'Nagy', 'Okoye', 'Pires', 'Rossi', 'Singh', 'Toth'];
const GIVEN_NAMES = [...FIRST, ...MORE];
const FAMILY_NAMES = [...LAST, ...LAST_MORE];
export const COUNTRIES = ['DE', 'FR', 'ES', 'IT', 'NL', 'PL', 'SE', 'PT', 'AT', 'DK'];
const MAIL_DOMAINS = ['example.com', 'example.org', 'example.net'];
const CATEGORIES = ['books', 'garden', 'kitchen', 'music', 'outdoor', 'office', 'toys', 'tools'];
const ADJECTIVES = ['plain', 'bright', 'sturdy', 'quiet', 'small', 'round', 'folding', 'warm'];
const THINGS = ['lamp', 'kettle', 'notebook', 'tent', 'drum', 'chisel', 'kite', 'spade', 'shelf'];

export function emailOf(random: Random, fullName: string, customerId: number): string {
  const local = fullName.toLowerCase().replace(' ', '.');
  return `${local}.${customerId}@${random.pick(MAIL_DOMAINS)}`;
}

export function phoneOf(random: Random): string {
  return `+1-555-01${String(random.int(0, 99)).padStart(2, '0')}-${random.int(1000, 9999)}`;
}

export function createCustomer(random: Random, customerId: number, at: Date): CustomerRow {
  const fullName = `${random.pick(GIVEN_NAMES)} ${random.pick(FAMILY_NAMES)}`;
  const digits = String(random.int(0, 99_999_999)).padStart(8, '0');
  return {
    customer_id: customerId,
    email: emailOf(random, fullName, customerId),
    full_name: fullName,
    phone: random.chance(0.9) ? phoneOf(random) : null,
    country: random.pick(COUNTRIES),
    card_number: random.chance(0.85) ? `40000000${digits}` : null,
    created_at: at.toISOString(),
    updated_at: at.toISOString(),
  };
}

export function createProduct(random: Random, productId: number, at: Date): ProductRow {
  const category = random.pick(CATEGORIES);
  return {
    product_id: productId,
    sku: `${category.slice(0, 3).toUpperCase()}-${String(productId).padStart(5, '0')}`,
    name: `${random.pick(ADJECTIVES)} ${random.pick(THINGS)} ${productId}`,
    category,
    price: cents(random.int(199, 24_999)),
    stock: random.int(20, 400),
    updated_at: at.toISOString(),
  };
}

/** 1999 → `"19.99"`: money is counted in whole cents and never as a floating number. */
export function cents(amount: number): string {
  return `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`;
}

/** `"19.99"` → 1999 */
export function toCents(price: string): number {
  const [whole = '0', fraction = ''] = price.split('.');
  return Number(whole) * 100 + Number(fraction.padEnd(2, '0'));
}
