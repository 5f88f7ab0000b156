-- Who must not be handed over again: digests that only this database's key can make from a value.
-- Not "icewright": a schema named as a user comes first on their search path.
-- Repeatable. The query that ingests says: AND NOT icewright_erasure.is_suppressed('customer_id', …).
CREATE SCHEMA IF NOT EXISTS icewright_erasure;

-- The two pads of HMAC-SHA-256 for each identifier.
CREATE TABLE IF NOT EXISTS icewright_erasure.suppression_key (
  identifier text PRIMARY KEY,
  inner_pad bytea NOT NULL,
  outer_pad bytea NOT NULL
);

CREATE TABLE IF NOT EXISTS icewright_erasure.suppressed (
  identifier text NOT NULL,
  digest bytea NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (identifier, digest)
);

CREATE OR REPLACE FUNCTION icewright_erasure.is_suppressed(wanted text, value text) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT value IS NOT NULL AND EXISTS (
    SELECT FROM icewright_erasure.suppression_key k
    JOIN icewright_erasure.suppressed s ON s.identifier = k.identifier
    WHERE k.identifier = wanted
      AND s.digest = sha256(k.outer_pad || sha256(k.inner_pad || convert_to(value, 'UTF8')))
  )
$$;
