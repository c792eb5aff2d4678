-- verpost 035: segments that cannot fail, and one membership that meets all that is said of joining.

-- jsonpath's datetime() raises whatever else is silent: for a value with a zone beside one without, and for a bad template. A predicate is asked
-- about everybody's attributes, so that one row of them would make it fail for all. `listctl segment` refuses it by its place.
CREATE FUNCTION predicate_may_raise(predicate jsonpath) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_replace(predicate::text, '"(\\.|[^"\\])*"', '""', 'g') ~ '\.datetime\('
$$;
-- Not valid: those there are stay, to be seen and mended.
ALTER TABLE segment ADD CONSTRAINT segment_predicate_never_raises CHECK (NOT predicate_may_raise(predicate)) NOT VALID;

-- Nor may their indexes stay: they would make imports fail.
DO $$
DECLARE
    each_id bigint;
BEGIN
    FOR each_id IN SELECT id FROM segment WHERE predicate_may_raise(predicate) LOOP
        EXECUTE format('DROP INDEX IF EXISTS segment_%s', each_id);
    END LOOP;
END $$;

-- What one segment says of joining, about membership `alias`.
CREATE FUNCTION segment_joined(one segment, alias text) RETURNS text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT string_agg(format('%s.joined_at %s %L::timestamptz', alias, comparison, instant), ' AND ')
    FROM (VALUES ('<', one.joined_before), ('>=', one.joined_after), ('>=', now() - make_interval(days => one.joined_days_most)),
        ('<', now() - make_interval(days => one.joined_days_least))) AS bound(comparison, instant)
    WHERE instant IS NOT NULL
$$;

-- m is the membership at hand where a list is asked about; else one membership has to lie within all bounds.
CREATE OR REPLACE FUNCTION segment_condition(one segment, of_list bigint, who text) RETURNS text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT concat_ws(' AND ',
        CASE WHEN one.predicate IS NOT NULL THEN format('s.attributes @@ %L::jsonpath', one.predicate) END,
        CASE WHEN of_list IS NOT NULL THEN segment_joined(one, 'm')
            ELSE 'EXISTS (SELECT FROM membership j WHERE j.subscriber_id = s.id AND j.state = ''active'' AND ' || segment_joined(one, 'j') || ')' END,
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
DROP FUNCTION segment_joined(text, timestamptz, bigint);

-- A segment is about many people: planned for a thousand of them, an export would look up each.
ALTER FUNCTION segment_people(bigint, bigint) ROWS 100000;

-- The first of them by id, without finding the others.
CREATE FUNCTION segment_first_people(segment_id bigint, of_list bigint, how_many bigint) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE segment_query(segment_id, of_list) || format(' ORDER BY 1 LIMIT %s', how_many);
END $$;
