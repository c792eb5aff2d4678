-- verpost 047: what reports ask of the ledger, and shares in one place.

-- relay: by which one the copy came to its end; null: none did, or it is not known (an end that a crash left to the journal, or of the release
-- before). first_at: when the first attempt ended, of who had several; null: the only one. So nearly all rows have no more of it than a null.
ALTER TABLE delivery ADD COLUMN relay text, ADD COLUMN first_at timestamptz;
INSERT INTO erasable (deed, place, said) VALUES ('never', 'delivery', 'relay');

-- A percentage; null where there is nothing to be a share of. No SET clause: it is inlined.
CREATE FUNCTION share(part numeric, whole numeric) RETURNS double precision
LANGUAGE sql IMMUTABLE AS $$ SELECT (100 * part / nullif(whole, 0))::float8 $$;
