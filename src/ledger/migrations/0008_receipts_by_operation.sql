-- The last receipts of each operation of a table, by how they ended: what comes often hides nothing
-- of what comes seldom. The expression is that of the statement in operations.ts.
create index receipt_by_operation on icewright.receipt (
  table_key,
  operation,
  (case when document #>> '{error,code}' = 'Cancelled' then 'cancelled' else status end),
  receipt_no desc
);
