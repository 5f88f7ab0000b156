-- Beside the ledger's own database (icewright): the source shop. Temporal makes its own.
CREATE DATABASE shop;
