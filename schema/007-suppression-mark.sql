-- verpost 007: who is suppressed is found for the whole audience when it is frozen, not for each recipient when he is opened.
--
-- Suppressions are many and seldom added to. A campaign that starts skips at once whom they name, and keeps the highest id that it has seen:
-- from then on only younger rows can concern it. That holds because
--   - no row with a lower id can still be committed: whoever inserts holds a lock, shared with others like him, from before he draws an id
--     until his transaction has ended, and the mark is taken while nobody holds it;
--   - a row never comes to name somebody else;
--   - an address that is changed counts: then the whole table is asked again.

ALTER TABLE campaign
    ADD COLUMN suppressed_up_to bigint NOT NULL DEFAULT 0, -- suppression.id; 0: none was looked at
    ADD COLUMN addresses_at bigint NOT NULL DEFAULT 0;     -- address_version when they were looked at
GRANT UPDATE (suppressed_up_to, addresses_at) ON campaign TO verpost_sender;

-- Of all suppressions these few are asked by value for every recipient.
CREATE INDEX suppression_domain ON suppression (value) INCLUDE (list_id) WHERE kind = 'domain';

CREATE FUNCTION suppression_lock() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 7378697629483820646 $$;

CREATE FUNCTION join_suppression_writers() RETURNS trigger
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(suppression_lock());
    RETURN NULL;
END $$;
CREATE TRIGGER suppression_is_written BEFORE INSERT ON suppression
    FOR EACH STATEMENT EXECUTE FUNCTION join_suppression_writers();

CREATE FUNCTION refuse_other_suppression() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a suppression names the same for good: add another and remove this one' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER suppression_stays BEFORE UPDATE OF id, kind, value, list_id ON suppression
    FOR EACH ROW EXECUTE FUNCTION refuse_other_suppression();

-- The mark, for the transaction that freezes an audience after it. It waits for those who insert just now, but not for an import of millions:
-- 0 then, and the campaign asks the whole table. The lock is let go of at once, by undoing what took it.
CREATE FUNCTION suppression_mark() RETURNS bigint
LANGUAGE plpgsql SET search_path = verpost, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    mark bigint := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(suppression_lock());
    SELECT coalesce(max(id), 0) INTO mark FROM suppression;
    RAISE EXCEPTION USING ERRCODE = 'VPUND', MESSAGE = 'the mark is taken';
EXCEPTION
    WHEN SQLSTATE 'VPUND' THEN
        RETURN mark;
    WHEN lock_not_available THEN
        RETURN 0;
END $$;

CREATE TABLE address_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL DEFAULT 1
);
INSERT INTO address_version DEFAULT VALUES;
GRANT SELECT ON address_version TO verpost_sender;

CREATE FUNCTION raise_address_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
BEGIN
    UPDATE address_version SET version = version + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER subscriber_moves AFTER UPDATE OF address_key ON subscriber
    FOR EACH STATEMENT EXECUTE FUNCTION raise_address_version();

GRANT EXECUTE ON FUNCTION suppression_lock(), suppression_mark() TO verpost_sender, verpost_bounced;
