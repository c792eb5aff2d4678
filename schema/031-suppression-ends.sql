-- verpost 031: suppressions that end by themselves, and people who were erased.
--
-- What a suppression names, and until when, never changes (schema/007 counts on it): one that lasts longer takes the place of a shorter one, with
-- an id of its own, whoever adds it. kind 'erased' holds, in value, the HMAC of a mailbox under a key that is in the key file and nowhere in
-- the database: it can be asked about one address, and tells none.

ALTER TABLE suppression
    ADD COLUMN expires_at timestamptz,
    DROP CONSTRAINT suppression_kind_check,
    ADD CONSTRAINT suppression_kind_check CHECK (kind IN ('address', 'domain', 'erased')),
    ADD CONSTRAINT suppression_erased_check CHECK (kind <> 'erased'
        OR (value ~ '^[0-9a-f]{64}$' AND list_id IS NULL AND expires_at IS NULL));

CREATE VIEW suppression_in_force AS SELECT * FROM suppression WHERE expires_at IS NULL OR expires_at > now();
GRANT SELECT ON suppression_in_force TO verpost_sender, verpost_bounced;

CREATE FUNCTION end_shorter_suppression() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
BEGIN
    DELETE FROM suppression WHERE value = NEW.value AND kind = NEW.kind AND list_id IS NOT DISTINCT FROM NEW.list_id
        AND expires_at < coalesce(NEW.expires_at, 'infinity');
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION end_shorter_suppression() FROM PUBLIC;
CREATE TRIGGER suppression_ends_shorter_one BEFORE INSERT ON suppression
    FOR EACH ROW EXECUTE FUNCTION end_shorter_suppression();

DROP TRIGGER suppression_stays ON suppression;
CREATE TRIGGER suppression_stays BEFORE UPDATE OF id, kind, value, list_id, expires_at ON suppression
    FOR EACH ROW EXECUTE FUNCTION refuse_other_suppression();

CREATE OR REPLACE FUNCTION is_suppressed(key text, list bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT EXISTS (SELECT FROM suppression_in_force s
                   WHERE ((s.kind = 'address' AND s.value = key)
                       OR (s.kind = 'domain' AND s.value = split_part(key, '@', 2)))
                     AND (s.list_id IS NULL OR s.list_id = list))
$$;

-- ---- erasure (what is left is one row of kind 'erased') ---------------------------------------------------------------------

-- The ledger is written once; a row may forget what a relay said, and nothing else.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reply IS NULL THEN
        NEW.reply := OLD.reply;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            NEW.reply := NULL;
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- A text without any of these spellings, in whatever case.
CREATE FUNCTION text_without(said text, spellings text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    spelling text;
BEGIN
    FOREACH spelling IN ARRAY spellings LOOP
        said := regexp_replace(said, regexp_replace(spelling, '([^[:alnum:]])', '\\\1', 'g'), 'erased', 'gi');
    END LOOP;
    RETURN said;
END $$;

CREATE FUNCTION text_has(said text, spellings text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(bool_or(position(lower(spelling) IN lower(said)) > 0), false) FROM unnest(spellings) AS spelling
$$;

-- Removes a person and blanks what names them; their id stays in frozen audiences and in the ledger, which tell how many, and name nobody. A row
-- for each table with what was done to how many rows. The caller adds the suppression of kind 'erased'.
CREATE FUNCTION erase_subscriber(person bigint, dry boolean) RETURNS TABLE (place text, deed text, rows bigint)
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
DECLARE
    spellings text[];
    octets bytea[];
BEGIN
    SELECT array_remove(ARRAY[address, address_key, canonical], NULL) INTO STRICT spellings
    FROM subscriber WHERE id = person FOR UPDATE;
    SELECT array_agg(convert_to(spelling, 'UTF8')) INTO octets FROM unnest(spellings) AS spelling;

    RETURN QUERY WITH gone AS (DELETE FROM bounce_raw r USING bounce_event e WHERE NOT dry AND e.subscriber_id = person
            AND r.campaign_id = e.campaign_id AND r.event_id = e.id RETURNING 1)
        SELECT 'bounce_raw', 'removed', CASE WHEN dry THEN (SELECT count(*) FROM bounce_raw r JOIN bounce_event e
            ON r.campaign_id = e.campaign_id AND r.event_id = e.id WHERE e.subscriber_id = person)
            ELSE (SELECT count(*) FROM gone) END;
    RETURN QUERY WITH blank AS (UPDATE bounce_event SET recipient = NULL, diagnostic = ''
            WHERE NOT dry AND (subscriber_id = person OR text_has(recipient || ' ' || diagnostic, spellings)) RETURNING 1)
        SELECT 'bounce_event', 'blanked', CASE WHEN dry THEN (SELECT count(*) FROM bounce_event
            WHERE subscriber_id = person OR text_has(recipient || ' ' || diagnostic, spellings)) ELSE (SELECT count(*) FROM blank) END;
    RETURN QUERY WITH said AS MATERIALIZED (SELECT c.id FROM (SELECT id FROM campaign UNION ALL SELECT 0) AS c(id)
            CROSS JOIN LATERAL (SELECT FROM delivery d WHERE d.campaign_id = c.id AND d.subscriber_id = person AND d.reply IS NOT NULL OFFSET 0) AS d),
        blank AS (UPDATE delivery d SET reply = NULL FROM said WHERE NOT dry AND d.campaign_id = said.id AND d.subscriber_id = person RETURNING 1)
        SELECT 'delivery', 'blanked', CASE WHEN dry THEN (SELECT count(*) FROM said) ELSE (SELECT count(*) FROM blank) END;
    RETURN QUERY WITH blank AS (UPDATE deferral SET reply = NULL WHERE NOT dry AND subscriber_id = person AND reply IS NOT NULL RETURNING 1)
        SELECT 'deferral', 'blanked', CASE WHEN dry THEN (SELECT count(*) FROM deferral WHERE subscriber_id = person AND reply IS NOT NULL)
            ELSE (SELECT count(*) FROM blank) END;
    RETURN QUERY WITH gone AS (DELETE FROM mailbox_message m WHERE NOT dry AND (text_has(m.sender || ' ' || m.recipient, spellings)
            OR EXISTS (SELECT FROM unnest(octets) AS o WHERE position(o IN m.message) > 0)) RETURNING 1)
        SELECT 'mailbox_message', 'removed', CASE WHEN dry THEN (SELECT count(*) FROM mailbox_message m
            WHERE text_has(m.sender || ' ' || m.recipient, spellings) OR EXISTS (SELECT FROM unnest(octets) AS o WHERE position(o IN m.message) > 0))
            ELSE (SELECT count(*) FROM gone) END;
    RETURN QUERY WITH gone AS (DELETE FROM campaign_test WHERE NOT dry AND (subscriber_id = person OR text_has(address || ' ' || coalesce(reply, ''), spellings))
            RETURNING 1)
        SELECT 'campaign_test', 'removed', CASE WHEN dry THEN (SELECT count(*) FROM campaign_test
            WHERE subscriber_id = person OR text_has(address || ' ' || coalesce(reply, ''), spellings)) ELSE (SELECT count(*) FROM gone) END;
    RETURN QUERY WITH blank AS (UPDATE audit SET subject = text_without(subject, spellings), detail = text_without(detail::text, spellings)::jsonb
            WHERE NOT dry AND text_has(subject || ' ' || coalesce(detail::text, ''), spellings) RETURNING 1)
        SELECT 'audit', 'blanked', CASE WHEN dry THEN (SELECT count(*) FROM audit
            WHERE text_has(subject || ' ' || coalesce(detail::text, ''), spellings)) ELSE (SELECT count(*) FROM blank) END;
    RETURN QUERY WITH gone AS (DELETE FROM suppression WHERE NOT dry AND kind = 'address' AND value = ANY (spellings) RETURNING 1)
        SELECT 'suppression', 'removed', CASE WHEN dry THEN (SELECT count(*) FROM suppression WHERE kind = 'address' AND value = ANY (spellings))
            ELSE (SELECT count(*) FROM gone) END;
    RETURN QUERY WITH blank AS (UPDATE suppression SET reason = text_without(reason, spellings)
            WHERE NOT dry AND text_has(reason, spellings) AND NOT (kind = 'address' AND value = ANY (spellings)) RETURNING 1)
        SELECT 'suppression', 'blanked', CASE WHEN dry THEN (SELECT count(*) FROM suppression
            WHERE text_has(reason, spellings) AND NOT (kind = 'address' AND value = ANY (spellings)))
            ELSE (SELECT count(*) FROM blank) END;
    RETURN QUERY WITH gone AS (DELETE FROM membership WHERE NOT dry AND subscriber_id = person RETURNING 1)
        SELECT 'membership', 'removed', CASE WHEN dry THEN (SELECT count(*) FROM membership WHERE subscriber_id = person) ELSE (SELECT count(*) FROM gone) END;
    RETURN QUERY WITH gone AS (DELETE FROM subscriber WHERE NOT dry AND id = person RETURNING 1)
        SELECT 'subscriber', 'removed', CASE WHEN dry THEN 1 ELSE (SELECT count(*) FROM gone) END;
END $$;
REVOKE ALL ON FUNCTION erase_subscriber(bigint, boolean) FROM PUBLIC;
