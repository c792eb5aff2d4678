-- verpost 050: whose change an audit row tells of, whatever address they had then.
--
-- A row named the person by the address of the moment alone. So who had moved was no longer shown what was changed before, whoever got the former
-- address was shown it, and an erasure left the reasons and consents that stood there. Now a row names the person by number as well, and all that
-- was said about somebody goes with them.

ALTER TABLE audit ADD COLUMN subscriber_id bigint; -- null: about nobody, or nobody knows about whom
CREATE INDEX audit_by_subscriber ON audit (subscriber_id, id) WHERE subscriber_id IS NOT NULL;

-- Rows of before, by who had the address then. rank 2: the time before somebody took an address back, of which former_address keeps nothing; then a
-- move away from it must be there.
WITH had AS (
    SELECT id AS person, address_key AS key, coalesce(address_since, created_at) AS since, 'infinity'::timestamptz AS until, 1 AS rank FROM subscriber
    UNION ALL
    SELECT subscriber_id, address_key, since, until, 1 FROM former_address
    UNION ALL
    SELECT s.id, s.address_key, s.created_at, s.address_since, 2 FROM subscriber s WHERE s.address_since IS NOT NULL AND EXISTS (
        SELECT FROM audit m WHERE m.action = 'subscriber.move' AND m.detail->>'from' = s.address_key AND m.detail->>'subscriber_id' = s.id::text)
), whose AS (
    SELECT DISTINCT ON (a.id) a.id, h.person FROM audit a JOIN had h ON h.key = substr(a.subject, 12) COLLATE "C"
    WHERE a.subject LIKE 'subscriber:%' AND a.at >= h.since AND a.at < h.until ORDER BY a.id, h.rank, h.until
)
UPDATE audit a SET subscriber_id = w.person FROM whose w WHERE a.id = w.id;

-- The release before says only the address: it is the person's who has it in that moment.
CREATE FUNCTION name_audited_person() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp SET enable_seqscan = off AS $$
BEGIN
    SELECT id INTO NEW.subscriber_id FROM subscriber WHERE address_key = substr(NEW.subject, 12);
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION name_audited_person() FROM PUBLIC;
CREATE TRIGGER audit_names_person BEFORE INSERT ON audit FOR EACH ROW
    WHEN (NEW.subscriber_id IS NULL AND NEW.subject LIKE 'subscriber:%') EXECUTE FUNCTION name_audited_person();

-- As in 036, and the person's rows of the audit.
CREATE OR REPLACE FUNCTION erasable_own(place text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN place IN ('bounce_event', 'delivery', 'deferral', 'campaign_test', 'membership') THEN 't.subscriber_id = $5'
                WHEN place = 'audit' THEN '(t.subscriber_id IS NOT DISTINCT FROM $5 OR (t.subscriber_id IS NULL'
                    ' AND t.subject = ANY (ARRAY(SELECT ''subscriber:'' || s FROM unnest($6) AS s))))'
                WHEN place = 'subscriber' THEN 't.id = $5'
                WHEN place = 'suppression' THEN '(t.kind = ''erased'' OR (t.kind = ''address'' AND t.value = ANY ($6)))'
                WHEN place = 'bounce_raw' THEN 'EXISTS (SELECT FROM bounce_event e WHERE e.campaign_id = t.campaign_id AND e.id = t.event_id'
                    ' AND e.subscriber_id = $5)'
                ELSE 'false' END
$$;

-- What was said about somebody, under whatever address; and about one of the addresses, where nobody knows whose it was. Who did what and when stays.
CREATE FUNCTION erase_audit(person bigint, spellings text[], dry boolean) RETURNS TABLE (place text, deed text, rows bigint)
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
DECLARE
    subjects text[] := ARRAY(SELECT 'subscriber:' || s FROM unnest(spellings) AS s);
BEGIN
    RETURN QUERY WITH blank AS (UPDATE audit SET subject = 'subscriber:erased', detail = '{}'
            WHERE NOT dry AND (subscriber_id = person OR (subscriber_id IS NULL AND subject = ANY (subjects))) RETURNING 1)
        SELECT 'audit', 'blanked', CASE WHEN dry THEN (SELECT count(*) FROM audit
            WHERE subscriber_id = person OR (subscriber_id IS NULL AND subject = ANY (subjects))) ELSE (SELECT count(*) FROM blank) END;
END $$;

-- As in 036, but for the audit.
CREATE OR REPLACE FUNCTION erase_person(person bigint, spellings text[], dry boolean) RETURNS TABLE (place text, deed text, rows bigint)
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM erase_reports(person, dry);
    PERFORM FROM subscriber WHERE id = person AND address_key = ANY (spellings) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF NOT dry THEN
        RETURN QUERY SELECT * FROM erase_reports(person, dry);
    END IF;
    RETURN QUERY SELECT * FROM erase_audit(person, spellings, dry);
    RETURN QUERY WITH said AS MATERIALIZED (SELECT c.id FROM (SELECT id FROM campaign UNION ALL SELECT 0) AS c(id)
            CROSS JOIN LATERAL (SELECT FROM delivery d WHERE d.campaign_id = c.id AND d.subscriber_id = person AND d.reply IS NOT NULL OFFSET 0) AS d),
        blank AS (UPDATE delivery d SET reply = NULL FROM said WHERE NOT dry AND d.campaign_id = said.id AND d.subscriber_id = person RETURNING 1)
        SELECT 'delivery', 'blanked', CASE WHEN dry THEN (SELECT count(*) FROM said) ELSE (SELECT count(*) FROM blank) END;
    RETURN QUERY WITH said AS MATERIALIZED (SELECT c.id FROM campaign c
            CROSS JOIN LATERAL (SELECT FROM deferral d WHERE d.campaign_id = c.id AND d.subscriber_id = person AND d.reply IS NOT NULL OFFSET 0) AS d),
        blank AS (UPDATE deferral d SET reply = NULL FROM said WHERE NOT dry AND d.campaign_id = said.id AND d.subscriber_id = person RETURNING 1)
        SELECT 'deferral', 'blanked', CASE WHEN dry THEN (SELECT count(*) FROM said) ELSE (SELECT count(*) FROM blank) END;
    RETURN QUERY WITH gone AS (DELETE FROM campaign_test WHERE NOT dry AND subscriber_id = person RETURNING 1)
        SELECT 'campaign_test', 'removed', CASE WHEN dry THEN (SELECT count(*) FROM campaign_test WHERE subscriber_id = person)
            ELSE (SELECT count(*) FROM gone) END;
    RETURN QUERY WITH gone AS (DELETE FROM suppression WHERE NOT dry AND kind = 'address' AND value = ANY (spellings) RETURNING 1)
        SELECT 'suppression', 'removed', CASE WHEN dry THEN (SELECT count(*) FROM suppression WHERE kind = 'address' AND value = ANY (spellings))
            ELSE (SELECT count(*) FROM gone) END;
    RETURN QUERY WITH gone AS (DELETE FROM membership WHERE NOT dry AND subscriber_id = person RETURNING 1)
        SELECT 'membership', 'removed', CASE WHEN dry THEN (SELECT count(*) FROM membership WHERE subscriber_id = person) ELSE (SELECT count(*) FROM gone) END;
    RETURN QUERY WITH gone AS (DELETE FROM subscriber WHERE NOT dry AND id = person RETURNING 1)
        SELECT 'subscriber', 'removed', CASE WHEN dry THEN 1 ELSE (SELECT count(*) FROM gone) END;
END $$;

REVOKE ALL ON FUNCTION erase_audit(bigint, text[], boolean), erase_person(bigint, text[], boolean) FROM PUBLIC;
