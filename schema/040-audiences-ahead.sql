-- verpost 040: an audience as a value: whom a campaign would go to can be asked before there is one, and of some people alone.
--
-- It is made of the lists that copies go through, in their order, the segments that narrow them down, and the lists and segments that are left out.
-- What each of them means is said in 030, 037 and 039.

-- The query for it: id, list_id, one row a person.
CREATE FUNCTION audience_query(lists bigint[], segments bigint[], lists_out bigint[], segments_out bigint[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
DECLARE
    wanted text; -- id, list_id, place: of each list whom it is for by what it says of segments
    conditions text; -- on q.id
BEGIN
    SELECT string_agg(format('SELECT w.id, %s::bigint, %s FROM (%s) AS w(id)', each_list, n, coalesce(
            (SELECT string_agg(segment_query(s.id, each_list), ' UNION ' ORDER BY s.place) FROM unnest(segments) WITH ORDINALITY AS s(id, place)),
            format('SELECT m.subscriber_id FROM membership m WHERE m.list_id = %s AND m.state = ''active''', each_list))), ' UNION ALL ' ORDER BY n)
    INTO STRICT wanted FROM unnest(lists) WITH ORDINALITY AS l(each_list, n);
    SELECT string_agg(condition, ' AND ') INTO conditions FROM (
        SELECT format('NOT EXISTS (SELECT FROM membership x WHERE x.list_id = %s AND x.subscriber_id = q.id AND x.state = ''active'')', out_list) AS condition
        FROM unnest(lists_out) AS out_list
        UNION ALL SELECT format('NOT EXISTS (SELECT FROM (%s) AS x(id) WHERE x.id = q.id)', segment_query(out_segment, each_list))
        FROM unnest(segments_out) AS out_segment CROSS JOIN unnest(lists) AS each_list) AS left_out;
    IF cardinality(lists) = 1 THEN
        RETURN format('SELECT q.id, q.list_id FROM (%s) AS q(id, list_id, place) WHERE %s', wanted, coalesce(conditions, 'true'));
    END IF;
    RETURN format('WITH kept_out AS MATERIALIZED (SELECT x.id, x.list_id FROM suppressed_subscriber x WHERE x.list_id = ANY (%1$L::bigint[]))'
            ' SELECT DISTINCT ON (q.id) q.id, q.list_id FROM (%2$s) AS q(id, list_id, place)'
            ' WHERE NOT EXISTS (SELECT FROM membership x WHERE x.list_id = ANY (%1$L::bigint[]) AND x.subscriber_id = q.id'
            ' AND x.state = ''unsubscribed'') AND %3$s ORDER BY q.id, (q.id, q.list_id) IN (SELECT id, list_id FROM kept_out), q.place',
        lists, wanted, coalesce(conditions, 'true'));
END $$;

-- The first of them by id; of those of `among` (null: of all), `most` of them (null: all).
CREATE FUNCTION audience_people(lists bigint[], segments bigint[], lists_out bigint[], segments_out bigint[], among bigint[], most bigint)
RETURNS TABLE (id bigint, list_id bigint)
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = verpost, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT q.id, q.list_id FROM (%s) AS q WHERE %s%s', audience_query(lists, segments, lists_out, segments_out),
        CASE WHEN among IS NULL THEN 'true' ELSE format('q.id = ANY (%L::bigint[])', among) END, ' ORDER BY q.id LIMIT ' || most);
END $$;

-- A campaign's.
CREATE OR REPLACE FUNCTION campaign_copies_query(of_campaign bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT audience_query((SELECT array_agg(t.list_id ORDER BY t.place) FROM campaign_target t WHERE t.campaign_id = of_campaign),
        array_agg(a.segment_id ORDER BY a.place) FILTER (WHERE a.segment_id IS NOT NULL AND NOT a.is_left_out),
        array_agg(a.list_id ORDER BY a.place) FILTER (WHERE a.list_id IS NOT NULL AND a.is_left_out),
        array_agg(a.segment_id ORDER BY a.place) FILTER (WHERE a.segment_id IS NOT NULL AND a.is_left_out))
    FROM campaign_audience a WHERE a.campaign_id = of_campaign
$$;
CREATE OR REPLACE FUNCTION campaign_people_query(of_campaign bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT format('SELECT q.id FROM (%s) AS q', campaign_copies_query(of_campaign))
$$;
DROP FUNCTION campaign_wanted_query(bigint, bigint), campaign_left_out_query(bigint);

-- The list that a campaign which has started reaches a person through; null: it does not.
CREATE FUNCTION campaign_reaches(of_campaign bigint, who bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT coalesce(h.list_id, c.list_id) FROM campaign c
    LEFT JOIN campaign_reached h ON h.campaign_id = c.id AND h.subscriber_id = who WHERE c.id = of_campaign
    AND (h.list_id IS NOT NULL OR EXISTS (SELECT FROM delivery d WHERE d.campaign_id = c.id AND d.subscriber_id = who)
        OR EXISTS (SELECT FROM campaign_chunk k WHERE k.campaign_id = c.id AND who = ANY (k.subscriber_ids)))
$$;

-- A test is a copy as it goes through this list; null: the campaign's own.
ALTER TABLE campaign_test ADD COLUMN list_id bigint REFERENCES list;
