-- verpost 036: who is erased leaves no text that names them, under no address that they had, and nobody else's is touched.
--
-- Formerly ann@x.test was found inside joann@x.test too, and only in some texts. Now an address is found as a whole, and every column
-- that can hold text has a row that says what becomes of it: a migration that adds such a column adds its row here.

CREATE INDEX suppression_erased ON suppression (source) WHERE kind = 'erased';
CREATE INDEX campaign_test_by_subscriber ON campaign_test (subscriber_id);

-- blanked: the address in it becomes "erased"; emptied: all of it becomes NULL; removed: the row goes; named: it is the administrator's own
-- writing, told and left alone; never: it holds no address of a subscriber, or the person's own row goes anyway.
CREATE TABLE erasable (
    place text COLLATE "C" NOT NULL,
    said text COLLATE "C" NOT NULL,
    deed text NOT NULL CHECK (deed IN ('blanked', 'emptied', 'removed', 'named', 'never')),
    PRIMARY KEY (place, said)
);
INSERT INTO erasable (deed, place, said) SELECT deed, place, unnest(string_to_array(columns, ' ')) FROM (VALUES
    ('blanked', 'audit', 'subject detail'), ('named', 'audit', 'actor'), ('never', 'audit', 'action'),
    ('blanked', 'bounce_event', 'diagnostic reporting_mta'), ('emptied', 'bounce_event', 'recipient'),
    ('never', 'bounce_event', 'report_hash source reason status rule'),
    ('blanked', 'bounce_raw', 'message'),
    ('never', 'bounce_revision', 'old_reason old_status old_rule new_reason new_status'),
    ('blanked', 'budget', 'reason'), ('never', 'budget', 'key'), ('never', 'budget_lease', 'key'),
    ('blanked', 'campaign', 'hold_reason'),
    ('named', 'campaign', 'subject from_name from_address reply_to text_body html_body list_title list_headers'),
    ('never', 'campaign', 'name fields zone in_doubt window_text local_attribute list_name list_header_id'),
    ('named', 'campaign_audience', 'definition'), ('never', 'campaign_audience', 'name'),
    ('named', 'campaign_file', 'name content'), ('never', 'campaign_file', 'type content_id'),
    ('blanked', 'campaign_group_hold', 'reason'), ('never', 'campaign_group_hold', 'group_name'),
    ('never', 'campaign_tally', 'group_name source'),
    ('removed', 'campaign_test', 'address reply'), ('named', 'campaign_test', 'asked_by'),
    ('never', 'campaign_test', 'relay taken_by step'),
    ('named', 'campaign_variant', 'subject text_body html_body'),
    ('blanked', 'deferral', 'reply'), ('never', 'deferral', 'state status waits_for relay'),
    ('emptied', 'delivery', 'reply'), ('never', 'delivery', 'status reason'),
    ('named', 'address_rule', 'value hint'), ('never', 'address_rule', 'kind action source'),
    ('never', 'list_copies', 'domain'), ('never', 'domain_group', 'name'), ('never', 'domain_group_domain', 'domain'),
    ('never', 'doubt', 'connection decision'), ('never', 'erasable', 'place said deed'),
    ('named', 'list', 'title from_name from_address reply_to layout headers'), ('never', 'list', 'name list_id'),
    ('removed', 'mailbox_message', 'recipient sender message'), ('never', 'mailbox_message', 'message_hash'),
    ('blanked', 'membership', 'reason consent_source'),
    ('named', 'prune_batch', 'actor undone_by'), ('never', 'prune_batch', 'kind'),
    ('blanked', 'prune_change', 'old_reason'),
    ('named', 'relay', 'auth_user notify'),
    ('never', 'relay', 'name protocol host socket tls tls_name tls_ca auth helo campaigns lists domains'),
    ('blanked', 'relay_finding', 'reason'), ('never', 'relay_finding', 'relay out_of_step_said'),
    ('blanked', 'relay_login', 'reply'), ('never', 'relay_login', 'relay fingerprint tried_by'),
    ('blanked', 'relay_test', 'from_address reply diagnostic mail_from'), ('named', 'relay_test', 'asked_by'),
    ('never', 'relay_test', 'relay taken_by sent_seal step back_seal'),
    ('never', 'schema_migration', 'name sha256'),
    ('named', 'segment', 'about written'), ('never', 'segment', 'name predicate bounced_reasons'),
    ('blanked', 'subscriber', 'name attributes'), ('never', 'subscriber', 'address address_key canonical'),
    ('blanked', 'suppression', 'reason source'), ('never', 'suppression', 'kind value'),
    ('never', 'warmup', 'relay'), ('blanked', 'worker', 'refused'), ('never', 'worker', 'host journal place')
) AS v(deed, place, columns);

-- ---- an address in a text ---------------------------------------------------------------------------------------------------

-- The addresses as whole ones: no octet of a local part before (RFC 5321 section 4.1.2; what stands in quotation marks or behind = / ? : is
-- whole, as logs and links write it), none of a domain behind. To be used without regard to case.
CREATE FUNCTION address_pattern(spellings text[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT '(?<![[:alnum:]_.+\u0080-\U0010ffff-])(?<![[:alnum:]_.+\u0080-\U0010ffff-][''&!#$%*^`{|}~])('
        || string_agg(regexp_replace(s, '([^[:alnum:]\u0080-\U0010ffff])', '\\\1', 'g'), '|')
        || ')(?!-*[[:alnum:]_\u0080-\U0010ffff])(?!\.[[:alnum:]_\u0080-\U0010ffff])'
    FROM unnest(spellings) AS s
$$;

CREATE OR REPLACE FUNCTION text_without(said text, spellings text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = verpost, pg_temp AS $$
    SELECT regexp_replace(said, address_pattern(spellings), 'erased', 'gi')
$$;

-- Texts one by one, names included: in JSON's own writing the n of a line end would stand before an address.
CREATE FUNCTION json_without(said jsonb, pattern text) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = verpost, pg_temp AS $$
    SELECT CASE jsonb_typeof(said)
        WHEN 'string' THEN to_jsonb(regexp_replace(said #>> '{}', pattern, 'erased', 'gi'))
        WHEN 'array' THEN (SELECT coalesce(jsonb_agg(json_without(e, pattern) ORDER BY n), '[]')
                           FROM jsonb_array_elements(said) WITH ORDINALITY AS x(e, n))
        WHEN 'object' THEN (SELECT coalesce(jsonb_object_agg(regexp_replace(k, pattern, 'erased', 'gi'), json_without(v, pattern)), '{}')
                            FROM jsonb_each(said) AS x(k, v))
        ELSE said END
$$;

-- ---- texts that name somebody -------------------------------------------------------------------------------------------------

-- By what a place is gone through in portions; null: at once.
CREATE FUNCTION erasable_key(place text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN place IN ('delivery', 'bounce_event', 'bounce_raw') THEN 'campaign_id'
                WHEN place IN ('audit', 'mailbox_message', 'subscriber', 'suppression') THEN 'id'
                WHEN place IN ('membership') THEN 'subscriber_id' END
$$;

CREATE FUNCTION erasable_portions() RETURNS TABLE (place text, low bigint, high bigint)
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
DECLARE
    p record;
    last bigint;
    step bigint;
BEGIN
    FOR p IN SELECT e.place AS name, erasable_key(e.place) AS key FROM erasable e GROUP BY 1 HAVING bool_or(e.deed <> 'never') ORDER BY 1 LOOP
        IF p.key IS NULL THEN
            RETURN QUERY SELECT p.name, 0::bigint, 0::bigint;
        ELSIF p.key = 'campaign_id' THEN
            RETURN QUERY SELECT p.name, c.id, c.id FROM (SELECT 0 AS id UNION ALL SELECT id FROM campaign) AS c ORDER BY 2;
        ELSE
            EXECUTE format('SELECT coalesce(max(%I), 0) FROM %I', p.key, p.name) INTO last;
            step := greatest(20000, last / 500 + 1);
            RETURN QUERY SELECT p.name, n, n + step - 1 FROM generate_series(0, last, step) AS n;
        END IF;
    END LOOP;
END $$;

-- The condition that tells the person's own rows, which erase_person() treats: $5 the person, $6 the spellings.
CREATE FUNCTION erasable_own(place text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN place IN ('bounce_event', 'delivery', 'deferral', 'campaign_test', 'membership') THEN 't.subscriber_id = $5'
                WHEN place = 'subscriber' THEN 't.id = $5'
                WHEN place = 'suppression' THEN '(t.kind = ''erased'' OR (t.kind = ''address'' AND t.value = ANY ($6)))'
                WHEN place = 'bounce_raw' THEN 'EXISTS (SELECT FROM bounce_event e WHERE e.campaign_id = t.campaign_id AND e.id = t.event_id'
                    ' AND e.subscriber_id = $5)'
                ELSE 'false' END
$$;

-- Whether a column names them, and what it is without: $1, $3 for a quick look at texts and octets, $2, $4 for the exact one.
CREATE FUNCTION erasable_sql(said text, type text, deed text, OUT names text, OUT change text)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    names := format(CASE type WHEN 'bytea' THEN '(lower(encode(t.%1$I, ''escape'')) LIKE ANY ($3) AND encode(t.%1$I, ''escape'') ~* $4)'
        WHEN 'text' THEN '(lower(t.%1$I) LIKE ANY ($1) AND t.%1$I ~* $2)'
        ELSE '(lower(t.%1$I::text) LIKE ANY ($1) AND regexp_replace(t.%1$I::text, ''\\[bfnrt]'', '' '', ''g'') ~* $2)' END, said);
    change := format(CASE WHEN deed = 'emptied' THEN '%1$I = CASE WHEN ' || replace(names, '%', '%%') || ' THEN NULL ELSE t.%1$I END'
        WHEN type = 'bytea' THEN '%1$I = decode(regexp_replace(encode(t.%1$I, ''escape''), $4, ''erased'', ''gi''), ''escape'')'
        WHEN type = 'jsonb' THEN '%1$I = json_without(t.%1$I, $2)'
        ELSE '%1$I = regexp_replace(t.%1$I, $2, ''erased'', ''gi'')' END, said);
END $$;

-- One portion of a place: what names the person in rows that are not the person's own.
CREATE FUNCTION erase_texts(place text, low bigint, high bigint, person bigint, spellings text[], dry boolean)
RETURNS TABLE (deed text, rows bigint)
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
DECLARE
    octets text[] := ARRAY(SELECT encode(convert_to(s, 'UTF8'), 'escape') FROM unnest(spellings) AS s);
    likes text[] := ARRAY(SELECT '%' || regexp_replace(lower(s), '([\\%_])', '\\\1', 'g') || '%' FROM unnest(spellings) AS s);
    octet_likes text[] := ARRAY(SELECT '%' || regexp_replace(lower(s), '([\\%_])', '\\\1', 'g') || '%' FROM unnest(octets) AS s);
    key text := erasable_key(place);
    part record;
    condition text;
    query text;
    done bigint;
BEGIN
    FOR part IN SELECT CASE WHEN e.deed = 'emptied' THEN 'blanked' ELSE e.deed END AS kind, string_agg(q.names, ' OR ') AS names,
            string_agg(q.change, ', ') AS changes
        FROM erasable e JOIN pg_attribute a ON a.attrelid = e.place::regclass AND a.attname = e.said
        CROSS JOIN LATERAL erasable_sql(e.said, a.atttypid::regtype::text, e.deed) AS q
        WHERE e.place = erase_texts.place AND e.deed <> 'never' GROUP BY 1 ORDER BY 1 DESC
    LOOP
        condition := format('(%s) AND NOT %s', part.names, erasable_own(place))
            || CASE WHEN key IS NULL THEN '' ELSE format(' AND t.%I BETWEEN $7 AND $8', key) END;
        query := CASE WHEN dry OR part.kind = 'named' THEN format('SELECT FROM %I t WHERE ', place)
            WHEN part.kind = 'removed' THEN format('DELETE FROM %I t WHERE ', place)
            ELSE format('UPDATE %I t SET %s WHERE ', place, part.changes) END || condition;
        EXECUTE query USING likes, address_pattern(spellings), octet_likes, address_pattern(octets), person, spellings, low, high;
        GET DIAGNOSTICS done = ROW_COUNT;
        RETURN QUERY SELECT part.kind, done;
    END LOOP;
END $$;

-- ---- the person's own rows ----------------------------------------------------------------------------------------------------

-- Their reports: what was counted stays, without address, text and message. A report is stored by whoever has locked the person.
CREATE FUNCTION erase_reports(person bigint, dry boolean) RETURNS TABLE (place text, deed text, rows bigint)
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
BEGIN
    RETURN QUERY WITH gone AS (DELETE FROM bounce_raw r USING bounce_event e WHERE NOT dry AND e.subscriber_id = person
            AND r.campaign_id = e.campaign_id AND r.event_id = e.id RETURNING 1)
        SELECT 'bounce_raw', 'removed', CASE WHEN dry THEN (SELECT count(*) FROM bounce_raw r JOIN bounce_event e
            ON r.campaign_id = e.campaign_id AND r.event_id = e.id WHERE e.subscriber_id = person) ELSE (SELECT count(*) FROM gone) END;
    RETURN QUERY WITH blank AS (UPDATE bounce_event SET recipient = NULL, diagnostic = ''
            WHERE NOT dry AND subscriber_id = person AND (recipient IS NOT NULL OR diagnostic <> '') RETURNING 1)
        SELECT 'bounce_event', 'blanked', CASE WHEN dry THEN (SELECT count(*) FROM bounce_event
            WHERE subscriber_id = person AND (recipient IS NOT NULL OR diagnostic <> '')) ELSE (SELECT count(*) FROM blank) END;
END $$;

-- Removes a person and blanks what is theirs; their id stays in frozen audiences and in the ledger, which tell how many, and name nobody. The
-- reports come first and again once the person is locked, since whoever judges has locked a report and waits for the person. Nothing
-- says "subscriber removed" when the person is no longer as the spellings have it. The caller adds the suppressions of kind 'erased'.
CREATE FUNCTION erase_person(person bigint, spellings text[], dry boolean) RETURNS TABLE (place text, deed text, rows bigint)
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM erase_reports(person, dry);
    PERFORM FROM subscriber WHERE id = person AND address_key = ANY (spellings) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF NOT dry THEN
        RETURN QUERY SELECT * FROM erase_reports(person, dry);
        RETURN QUERY WITH blank AS (UPDATE audit SET subject = text_without(subject, spellings),
                detail = json_without(detail, address_pattern(spellings))
                WHERE subject = ANY (ARRAY(SELECT 'subscriber:' || s FROM unnest(spellings) AS s)) RETURNING 1)
            SELECT 'audit', 'blanked', count(*) FROM blank;
    END IF;
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

-- For listctl of the release before.
CREATE OR REPLACE FUNCTION erase_subscriber(person bigint, dry boolean) RETURNS TABLE (place text, deed text, rows bigint)
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
DECLARE
    spellings text[];
    p record;
BEGIN
    SELECT array_remove(ARRAY[s.address, s.address_key, s.canonical], NULL) INTO STRICT spellings FROM subscriber s WHERE s.id = person;
    FOR p IN SELECT * FROM erasable_portions() LOOP
        RETURN QUERY SELECT p.place, t.deed, t.rows FROM erase_texts(p.place, p.low, p.high, person, spellings, dry) AS t;
    END LOOP;
    RETURN QUERY SELECT * FROM erase_person(person, spellings, dry);
END $$;
DROP FUNCTION text_has(text, text[]);

REVOKE ALL ON FUNCTION erase_texts(text, bigint, bigint, bigint, text[], boolean), erase_person(bigint, text[], boolean),
    erase_reports(bigint, boolean) FROM PUBLIC;
