-- The shop: five tables, the outbox of their changes, and a clock of its own.
-- Repeatable: every statement may run again on a shop that is there.

CREATE TABLE IF NOT EXISTS customers (
  customer_id bigint PRIMARY KEY,
  email text NOT NULL UNIQUE,
  full_name text NOT NULL,
  phone text,
  country text NOT NULL,
  card_number text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS products (
  product_id bigint PRIMARY KEY,
  sku text NOT NULL,
  name text NOT NULL,
  category text NOT NULL,
  price numeric(10,2) NOT NULL,
  stock int NOT NULL,
  updated_at timestamptz NOT NULL
);

-- No foreign keys between the tables: a customer must be removable at any time, and what the lake
-- does with the orders that stay is the lake's business.
CREATE TABLE IF NOT EXISTS orders (
  order_id bigint PRIMARY KEY,
  customer_id bigint NOT NULL,
  status text NOT NULL CHECK (status IN ('placed', 'paid', 'shipped', 'delivered', 'cancelled')),
  ordered_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer_id);

CREATE TABLE IF NOT EXISTS order_items (
  order_id bigint NOT NULL,
  line_no int NOT NULL,
  product_id bigint NOT NULL,
  quantity int NOT NULL CHECK (quantity > 0),
  unit_price numeric(10,2) NOT NULL,
  PRIMARY KEY (order_id, line_no)
);

CREATE TABLE IF NOT EXISTS click_events (
  event_id bigint PRIMARY KEY,
  customer_id bigint,
  session_key text NOT NULL,
  event_type text NOT NULL,
  product_id bigint,
  url text NOT NULL,
  user_agent text,
  ip text,
  occurred_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS click_events_by_customer ON click_events (customer_id);

-- The shop's time is its own, so that the same seed and the same number of days always give the
-- same rows. `next_*` are the keys that the next row of each table takes.
CREATE TABLE IF NOT EXISTS shop_clock (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  seed bigint NOT NULL,
  day_number int NOT NULL,
  now_at timestamptz NOT NULL,
  next_customer_id bigint NOT NULL,
  next_order_id bigint NOT NULL,
  next_event_id bigint NOT NULL
);

-- The outbox, in Debezium's envelope. `id` and `lsn` only grow for the changes of one row, because
-- the trigger runs while that row is locked; `tx_id` does not (a transaction may take its id, then
-- wait for the row), so it serves to cut batches and never to order changes.
CREATE TABLE IF NOT EXISTS change_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  table_name text NOT NULL,
  op text NOT NULL CHECK (op IN ('c', 'u', 'd', 'r')),
  ts_ms bigint NOT NULL,
  lsn bigint NOT NULL,
  tx_id bigint NOT NULL,
  before jsonb,
  after jsonb
);
CREATE INDEX IF NOT EXISTS change_log_for_ingestion ON change_log (table_name, tx_id, id);

-- Writes one change. The trigger's arguments are the key columns: an update that changes the key is
-- a delete of the old row and a create of the new one, as Debezium reports it.
CREATE OR REPLACE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql
SET TimeZone = 'UTC' AS $$
DECLARE
  old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) END;
  new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE to_jsonb(NEW) END;
  at_ms bigint;
  at_lsn bigint := pg_current_wal_insert_lsn() - '0/0'::pg_lsn;
  in_tx bigint := pg_current_xact_id()::text::bigint;
  rekeyed boolean := false;
  key_column text;
BEGIN
  SELECT floor(extract(epoch FROM now_at) * 1000) INTO at_ms FROM shop_clock;
  at_ms := coalesce(at_ms, floor(extract(epoch FROM clock_timestamp()) * 1000));
  IF TG_OP = 'UPDATE' THEN
    FOREACH key_column IN ARRAY TG_ARGV LOOP
      rekeyed := rekeyed OR old_row -> key_column IS DISTINCT FROM new_row -> key_column;
    END LOOP;
  END IF;
  IF rekeyed THEN
    INSERT INTO change_log (table_name, op, ts_ms, lsn, tx_id, before, after) VALUES
      (TG_TABLE_NAME, 'd', at_ms, at_lsn, in_tx, old_row, NULL),
      (TG_TABLE_NAME, 'c', at_ms, at_lsn, in_tx, NULL, new_row);
  ELSE
    INSERT INTO change_log (table_name, op, ts_ms, lsn, tx_id, before, after) VALUES (
      TG_TABLE_NAME,
      CASE TG_OP WHEN 'INSERT' THEN 'c' WHEN 'UPDATE' THEN 'u' ELSE 'd' END,
      at_ms, at_lsn, in_tx, old_row, new_row);
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'TRUNCATE % would leave no trace in change_log: use DELETE', TG_TABLE_NAME;
END $$;

CREATE OR REPLACE TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON customers
  FOR EACH ROW EXECUTE FUNCTION record_change('customer_id');
CREATE OR REPLACE TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON products
  FOR EACH ROW EXECUTE FUNCTION record_change('product_id');
CREATE OR REPLACE TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON orders
  FOR EACH ROW EXECUTE FUNCTION record_change('order_id');
CREATE OR REPLACE TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON order_items
  FOR EACH ROW EXECUTE FUNCTION record_change('order_id', 'line_no');
CREATE OR REPLACE TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON click_events
  FOR EACH ROW EXECUTE FUNCTION record_change('event_id');

CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON customers
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON products
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON orders
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON order_items
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON click_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
