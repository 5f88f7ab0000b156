-- Who must not be handed over again: digests that only this database's key can make from a value.
-- Repeatable. The query that ingests says: AND NOT icewright.is_suppressed('customer_id', …).
CREATE SCHEMA IF NOT EXISTS icewright;

-- The two pads of HMAC-SHA-256 for each identifier.
CREATE TABLE IF NOT EXISTS icewright.suppression_key (
  identifier text PRIMARY KEY,
  inner_pad bytea NOT NULL,
  outer_pad bytea NOT NULL
);

CREATE TABLE IF NOT EXISTS icewright.suppressed (
  identifier text NOT NULL,
  digest bytea NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (identifier, digest)
);

CREATE OR REPLACE FUNCTION icewright.is_suppressed(wanted text, value text) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT value IS NOT NULL AND EXISTS (
    SELECT FROM icewright.suppression_key k
    JOIN icewright.suppressed s ON s.identifier = k.identifier
    WHERE k.identifier = wanted
      AND s.digest = sha256(k.outer_pad || sha256(k.inner_pad || convert_to(value, 'UTF8')))
  )
$$;
