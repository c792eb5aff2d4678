-- verpost 042: which addresses people had before they moved.
--
-- A file of before a move still has the former address, and an import made a second person of it, who was written to beside the first. The
-- audit told of moves, but not by mailbox, and not to an import of a million rows. Whoever changes a person's address is seen by the trigger, the
-- release before among them. A row goes with its person, and when they take the address back; one whose address is somebody else's now
-- stays, for erasure, and keeps nobody out.

CREATE TABLE former_address (
    subscriber_id bigint NOT NULL REFERENCES subscriber ON DELETE CASCADE,
    address_key text COLLATE "C" NOT NULL,
    canonical text COLLATE "C" CHECK (canonical <> address_key), -- as subscriber's
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (subscriber_id, address_key)
);
CREATE INDEX former_address_mailbox ON former_address ((coalesce(canonical, address_key)));
INSERT INTO erasable (deed, place, said) VALUES ('removed', 'former_address', 'address_key'), ('removed', 'former_address', 'canonical');

CREATE FUNCTION keep_former_address() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
BEGIN
    DELETE FROM former_address WHERE subscriber_id = NEW.id AND address_key = NEW.address_key;
    INSERT INTO former_address (subscriber_id, address_key, canonical, since, until)
    VALUES (OLD.id, OLD.address_key, OLD.canonical, coalesce(OLD.address_since, OLD.created_at), clock_timestamp())
    ON CONFLICT (subscriber_id, address_key) DO UPDATE SET until = excluded.until;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_former_address() FROM PUBLIC;
CREATE TRIGGER subscriber_leaves_address AFTER UPDATE OF address_key ON subscriber FOR EACH ROW
    WHEN (OLD.address_key IS DISTINCT FROM NEW.address_key) EXECUTE FUNCTION keep_former_address();

-- Those of before, back from move to move: one counts when it made the address that comes next, before that was left again. A move of before
-- schema/036 does not say whose it was; but then the person was there already, and nobody else had the address in between. Of the providers
-- only the largest is known here: of the others an address is known again, but not another spelling of its mailbox.
INSERT INTO former_address (subscriber_id, address_key, canonical, since, until)
WITH RECURSIVE was AS (
    SELECT s.id AS person, s.created_at, s.address_key AS now, s.address_key AS key, 9223372036854775807 AS before, NULL::timestamptz AS until, 0 AS steps
    FROM (SELECT DISTINCT split_part(subject, ':', 2) AS key FROM audit WHERE action = 'subscriber.move') AS moved JOIN subscriber s ON s.address_key = moved.key
    UNION ALL
    SELECT w.person, w.created_at, w.now, m.key, m.id, m.at, w.steps + 1 FROM was w CROSS JOIN LATERAL (
        SELECT a.id, a.at, (a.detail->>'from') COLLATE "C" AS key FROM audit a WHERE a.subject = 'subscriber:' || w.key AND a.action = 'subscriber.move'
            AND a.id < w.before AND a.at >= w.created_at AND coalesce(a.detail->>'subscriber_id', w.person::text) = w.person::text
        ORDER BY a.id DESC LIMIT 1) AS m WHERE position('@' IN m.key) > 0
)
SELECT DISTINCT ON (person, key) person, key, nullif(CASE WHEN split_part(key, '@', 2) IN ('gmail.com', 'googlemail.com')
        THEN replace(split_part(split_part(key, '@', 1), '+', 1), '.', '') || '@gmail.com' END, key), since, until
FROM (SELECT *, coalesce(lead(until) OVER (PARTITION BY person ORDER BY steps), created_at) AS since FROM was) AS w
WHERE steps > 0 AND key <> now ORDER BY person, key, steps;

-- ---- an address in a text, as links and web pages write it ---------------------------------------------------------------------

-- One spelling, its octets but letters, digits and . _ - also behind a percent sign (RFC 3986 section 2.1) or as HTML's numbers. octets: for
-- what encode(..., 'escape') makes of a message.
CREATE FUNCTION spelling_pattern(spelling text, octets boolean) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = verpost, pg_temp AS $$
    SELECT string_agg(CASE WHEN c ~ '[A-Za-z0-9_]' THEN c WHEN c ~ '[.-]' THEN '\' || c
        ELSE '(?:' || regexp_replace(CASE WHEN octets THEN encode(convert_to(c, 'UTF8'), 'escape') ELSE c END,
                '([^[:alnum:]\u0080-\U0010ffff])', '\\\1', 'g')
            || '|' || regexp_replace(encode(convert_to(c, 'UTF8'), 'hex'), '(..)', '%\1', 'g')
            || '|&#(?:0*' || ascii(c) || '|x0*' || to_hex(ascii(c)) || ');)' END, '' ORDER BY n)
    FROM regexp_split_to_table(spelling, '') WITH ORDINALITY AS x(c, n)
$$;

-- The addresses as whole ones: no octet of a local part before (RFC 5321 section 4.1.2; what stands in quotation marks, behind = / ? : or behind
-- such a sign that is itself percent-encoded is whole, as logs and links write it), none of a domain behind. To be used without regard to case.
CREATE FUNCTION address_pattern(spellings text[], octets boolean) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = verpost, pg_temp AS $$
    SELECT '(?:(?<=%(?:0[9ad]|2[028cf]|3[a-f]|5b))|(?<![[:alnum:]_.+\u0080-\U0010ffff-])(?<![[:alnum:]_.+\u0080-\U0010ffff-][''&!#$%*^`{|}~]))(?:'
        || string_agg(spelling_pattern(s, octets), '|') || ')(?!-*[[:alnum:]_\u0080-\U0010ffff])(?!\.[[:alnum:]_\u0080-\U0010ffff])'
    FROM unnest(spellings) AS s
$$;

CREATE OR REPLACE FUNCTION address_pattern(spellings text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = verpost, pg_temp AS $$
    SELECT address_pattern(spellings, false)
$$;

-- For a quick look, at text or octets in small letters of ASCII: what the pattern fits has these parts in this order.
CREATE FUNCTION address_likes(spellings text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg('%' || replace(regexp_replace(lower(s COLLATE "C"), '[^a-z0-9._-]+', '%', 'g'), '_', '\_') || '%') FROM unnest(spellings) AS s
$$;

-- Whether a column names them, and what it is without: $1, $3 for a quick look at texts and octets, $2, $4 for the exact one. CASE, because of
-- two conditions the planner takes the regular expression first, as one operator, and ten times the time.
CREATE OR REPLACE FUNCTION erasable_sql(said text, type text, deed text, OUT names text, OUT change text)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    names := format(CASE type
        WHEN 'bytea' THEN 'CASE WHEN lower(encode(t.%1$I, ''escape'') COLLATE "C") LIKE ANY ($3) THEN encode(t.%1$I, ''escape'') ~* $4 ELSE false END'
        WHEN 'text' THEN 'CASE WHEN lower(t.%1$I COLLATE "C") LIKE ANY ($1) THEN t.%1$I ~* $2 ELSE false END'
        ELSE 'CASE WHEN lower(t.%1$I::text COLLATE "C") LIKE ANY ($1) THEN regexp_replace(t.%1$I::text, ''\\[bfnrt]'', '' '', ''g'') ~* $2'
            ' ELSE false END' END, said);
    change := format(CASE WHEN deed = 'emptied' THEN '%1$I = CASE WHEN ' || replace(names, '%', '%%') || ' THEN NULL ELSE t.%1$I END'
        WHEN type = 'bytea' THEN '%1$I = decode(regexp_replace(encode(t.%1$I, ''escape''), $4, ''erased'', ''gi''), ''escape'')'
        WHEN type = 'jsonb' THEN '%1$I = json_without(t.%1$I, $2)'
        ELSE '%1$I = regexp_replace(t.%1$I, $2, ''erased'', ''gi'')' END, said);
END $$;

-- One portion of a place: what names the person in rows that are not the person's own.
CREATE OR REPLACE FUNCTION erase_texts(place text, low bigint, high bigint, person bigint, spellings text[], dry boolean)
RETURNS TABLE (deed text, rows bigint)
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
DECLARE
    likes text[] := address_likes(spellings);
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
        EXECUTE query USING likes, address_pattern(spellings, false), likes, address_pattern(spellings, true), person, spellings, low, high;
        GET DIAGNOSTICS done = ROW_COUNT;
        RETURN QUERY SELECT part.kind, done;
    END LOOP;
END $$;
