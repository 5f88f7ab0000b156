/** Rows of the shop's tables, and writing many of them in one statement. */
import type { Client } from 'pg';

export interface CustomerRow {
  readonly customer_id: number;
  readonly email: string;
  readonly full_name: string;
  readonly phone: string | null;
  readonly country: string;
  readonly card_number: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface ProductRow {
  readonly product_id: number;
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly price: string;
  readonly stock: number;
  readonly updated_at: string;
}

export interface OrderRow {
  readonly order_id: number;
  readonly customer_id: number;
  readonly status: string;
  readonly ordered_at: string;
  readonly updated_at: string;
}

export interface ItemRow {
  readonly order_id: number;
  readonly line_no: number;
  readonly product_id: number;
  readonly quantity: number;
  readonly unit_price: string;
}

export interface ClickRow {
  readonly event_id: number;
  readonly customer_id: number | null;
  readonly session_key: string;
  readonly event_type: string;
  readonly product_id: number | null;
  readonly url: string;
  readonly user_agent: string;
  readonly ip: string;
  readonly occurred_at: string;
}

export const SHOP_TABLES = [
  'customers',
  'products',
  'orders',
  'order_items',
  'click_events',
] as const;
export type ShopTable = (typeof SHOP_TABLES)[number];

/** One INSERT for all rows: they travel as one JSON value, whose fields are the columns. */
export async function insertRows(
  client: Client,
  table: ShopTable,
  rows: readonly object[],
): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1)`,
    [JSON.stringify(rows)],
  );
}
