-- verpost 029: segments: named descriptions of people, by their attributes and by facts about them.
--
-- A segment is a row of facts that must all hold. What it means is written as one condition for one query (segment_condition()), so that the
-- planner sees its constants: a partial index over its predicate, which `listctl segment index` makes, is used wherever the segment is asked.

CREATE TABLE segment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    about text NOT NULL DEFAULT '',
    written text,               -- the predicate as a person wrote it
    predicate jsonpath,         -- over the attributes
    joined_before timestamptz,  -- the list that is asked about, or any
    joined_after timestamptz,
    joined_days_most integer CHECK (joined_days_most > 0), -- at most so many days ago
    joined_days_least integer CHECK (joined_days_least > 0),
    accepted_days integer CHECK (accepted_days > 0), -- a relay took a message for them in so many days
    silent_days integer CHECK (silent_days > 0),     -- none did
    bounced_reasons text[] CHECK (cardinality(bounced_reasons) > 0),
    bounced_days integer CHECK (bounced_days > 0),
    member_of bigint[] CHECK (cardinality(member_of) > 0),         -- active in each of these lists
    not_member_of bigint[] CHECK (cardinality(not_member_of) > 0), -- and in none of those
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((written IS NULL) = (predicate IS NULL)),
    CHECK (bounced_days IS NULL OR bounced_reasons IS NOT NULL),
    CHECK (num_nonnulls(predicate, joined_before, joined_after, joined_days_most, joined_days_least, accepted_days, silent_days,
        bounced_reasons, member_of, not_member_of) > 0)
);
GRANT SELECT ON segment TO verpost_sender;

-- Campaigns that had a message taken after that instant, as an array for partition pruning.
CREATE FUNCTION campaigns_since(instant timestamptz) RETURNS bigint[]
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM campaign
    WHERE started_at IS NOT NULL AND (ended_at IS NULL OR ended_at >= instant)
$$;

CREATE FUNCTION segment_accepted(days integer, who text) RETURNS text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT format('EXISTS (SELECT FROM delivery d WHERE d.campaign_id = ANY (%L::bigint[]) AND d.subscriber_id = %s'
        ' AND d.outcome = ''accepted'' AND d.at >= %L::timestamptz)', campaigns_since(instant), who, instant)
    FROM (SELECT now() - make_interval(days => days) AS instant) AS x
$$;

-- One of the facts about joining; m is the membership at hand where a list is asked about.
CREATE FUNCTION segment_joined(comparison text, instant timestamptz, of_list bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN instant IS NULL THEN NULL
        WHEN of_list IS NOT NULL THEN format('m.joined_at %s %L::timestamptz', comparison, instant)
        ELSE format('EXISTS (SELECT FROM membership j WHERE j.subscriber_id = s.id AND j.state = ''active'' AND j.joined_at %s %L::timestamptz)',
            comparison, instant) END
$$;

CREATE FUNCTION segment_condition(one segment, of_list bigint, who text) RETURNS text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT concat_ws(' AND ',
        CASE WHEN one.predicate IS NOT NULL THEN format('s.attributes @@ %L::jsonpath', one.predicate) END,
        segment_joined('<', one.joined_before, of_list),
        segment_joined('>=', one.joined_after, of_list),
        segment_joined('>=', now() - make_interval(days => one.joined_days_most), of_list),
        segment_joined('<', now() - make_interval(days => one.joined_days_least), of_list),
        CASE WHEN one.accepted_days IS NOT NULL THEN segment_accepted(one.accepted_days, who) END,
        CASE WHEN one.silent_days IS NOT NULL THEN 'NOT ' || segment_accepted(one.silent_days, who) END,
        CASE WHEN one.bounced_reasons IS NOT NULL THEN format('EXISTS (SELECT FROM bounce_event b WHERE b.subscriber_id = %s'
            ' AND b.reason = ANY (%L::text[]) AND b.received_at >= %L::timestamptz AND NOT b.orphan AND NOT b.voided'
            ' AND b.kind IN (''bounce-hard'', ''bounce-soft'', ''complaint''))', who, one.bounced_reasons,
            coalesce(now() - make_interval(days => one.bounced_days), '-infinity')) END,
        (SELECT string_agg(format('EXISTS (SELECT FROM membership x WHERE x.list_id = %s AND x.subscriber_id = %s AND x.state = ''active'')',
            each_list, who), ' AND ') FROM unnest(one.member_of) AS each_list),
        CASE WHEN one.not_member_of IS NOT NULL THEN format('NOT EXISTS (SELECT FROM membership x WHERE x.list_id = ANY (%L::bigint[])'
            ' AND x.subscriber_id = %s AND x.state = ''active'')', one.not_member_of, who) END)
$$;

-- The query for the ids of those who match now: of the active members of a list, or (of_list null) of everybody.
CREATE FUNCTION segment_query(segment_id bigint, of_list bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
DECLARE
    one segment;
BEGIN
    SELECT * INTO STRICT one FROM segment WHERE id = segment_id;
    IF of_list IS NULL THEN
        RETURN 'SELECT s.id FROM subscriber s WHERE ' || segment_condition(one, NULL, 's.id');
    END IF;
    RETURN format('SELECT m.subscriber_id FROM membership m%s WHERE m.list_id = %s AND m.state = ''active'' AND %s',
        CASE WHEN one.predicate IS NULL THEN '' ELSE ' JOIN subscriber s ON s.id = m.subscriber_id' END, of_list,
        segment_condition(one, of_list, 'm.subscriber_id'));
END $$;

CREATE FUNCTION segment_people(segment_id bigint, of_list bigint) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE segment_query(segment_id, of_list);
END $$;

CREATE FUNCTION segment_count(segment_id bigint, of_list bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
DECLARE
    people bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM (' || segment_query(segment_id, of_list) || ') AS q' INTO people;
    RETURN people;
END $$;

-- The definition as a sentence, for people and for what was sent by it.
CREATE FUNCTION segment_text(segment_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT concat_ws(', ',
        'attributes match ' || written,
        'joined before ' || to_char(joined_before AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
        'joined at or after ' || to_char(joined_after AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
        CASE WHEN joined_days_most IS NOT NULL THEN format('joined in the last %s days', joined_days_most) END,
        CASE WHEN joined_days_least IS NOT NULL THEN format('joined more than %s days ago', joined_days_least) END,
        CASE WHEN accepted_days IS NOT NULL THEN format('had a message accepted in the last %s days', accepted_days) END,
        CASE WHEN silent_days IS NOT NULL THEN format('had none accepted in the last %s days', silent_days) END,
        CASE WHEN bounced_reasons IS NOT NULL THEN 'bounced by ' || array_to_string(bounced_reasons, ' or ')
            || CASE WHEN bounced_days IS NULL THEN '' ELSE format(' in the last %s days', bounced_days) END END,
        (SELECT 'member of ' || string_agg(l.name, ' and ' ORDER BY l.name) FROM list l WHERE l.id = ANY (member_of)),
        (SELECT 'not member of ' || string_agg(l.name, ' nor ' ORDER BY l.name) FROM list l WHERE l.id = ANY (not_member_of)))
    FROM segment WHERE id = segment_id
$$;
