-- verpost 037: a campaign for several lists.
--
-- A campaign has its own list (campaign.list_id), and may name more: rows of campaign_audience that are not left out. Decided when it starts:
--
-- - Who is an active member of several of them gets one copy, through the first one named of which they are an active member and on which they
--   are not suppressed. Who is suppressed on all of theirs gets none, and a ledger row that says so.
-- - Who has unsubscribed from any of them is in no audience: whoever left the shop's list did not mean the shop's letter to come by another.
-- - A segment asks about a list where it asks when somebody joined: of each list its own members are asked. Who is in a segment that is left out
--   by any of the lists is left out.
--
-- From then on a copy belongs to the list that it goes through: State and suppression are read again of that one, the copy carries its List-Id,
-- its title and its links, and who leaves by it leaves that list. A chunk holds people of one list. Who goes through another list than the
-- campaign's own has a row in campaign_reached, by which retries, doubts and reports find it; a campaign for one list has no such rows.
--
-- Sender, letter, relays and merge tags are those of the campaign and its own list. An older sender that starts such a campaign skips whoever is
-- not in the campaign's own list (removed): upgrade sender first.

ALTER TABLE campaign_audience
    DROP CONSTRAINT campaign_audience_check1, -- that a list is always left out
    -- What a copy takes from a list that is not left out, frozen as campaign.list_title and the like are; its name is in `name`.
    ADD COLUMN list_title text,
    ADD COLUMN list_header_id text,
    ADD COLUMN list_headers text;
CREATE UNIQUE INDEX campaign_audience_by_list ON campaign_audience (list_id, campaign_id) WHERE list_id IS NOT NULL AND NOT is_left_out;
GRANT UPDATE (name, list_title, list_header_id, list_headers) ON campaign_audience TO verpost_sender;

-- The lists that a campaign goes through, its own at place -1.
CREATE VIEW campaign_target AS
    SELECT id AS campaign_id, list_id, -1 AS place FROM campaign
    UNION ALL
    SELECT campaign_id, list_id, place FROM campaign_audience WHERE list_id IS NOT NULL AND NOT is_left_out;

-- Those that have started, a row for each of their lists.
CREATE VIEW campaign_sent AS
    SELECT c.id, t.list_id, c.started_at, c.ended_at FROM campaign c JOIN campaign_target t ON t.campaign_id = c.id
    WHERE c.started_at IS NOT NULL;
GRANT SELECT ON campaign_target, campaign_sent TO verpost_sender, verpost_bounced;

ALTER TABLE campaign_chunk ADD COLUMN list_id bigint REFERENCES list; -- null: the campaign's own

CREATE TABLE campaign_reached (
    campaign_id bigint NOT NULL REFERENCES campaign,
    subscriber_id bigint NOT NULL, -- no foreign key: the frozen audience outlives its people
    list_id bigint NOT NULL, -- written in thousands of rows, and lists stay
    PRIMARY KEY (campaign_id, subscriber_id)
);
GRANT SELECT, INSERT ON campaign_reached TO verpost_sender;
GRANT SELECT ON campaign_reached TO verpost_bounced;

-- The query for the ids of those whom a campaign is for now by what it says of segments, in one of its lists.
CREATE FUNCTION campaign_wanted_query(of_campaign bigint, of_list bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT coalesce((SELECT string_agg(segment_query(a.segment_id, of_list), ' UNION ' ORDER BY a.place) FROM campaign_audience a
            WHERE a.campaign_id = of_campaign AND NOT a.is_left_out AND a.segment_id IS NOT NULL),
        format('SELECT m.subscriber_id FROM membership m WHERE m.list_id = %s AND m.state = ''active''', of_list))
$$;

-- What it leaves out, as conditions on q.id; null: nothing.
CREATE FUNCTION campaign_left_out_query(of_campaign bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT string_agg(CASE WHEN a.list_id IS NOT NULL
        THEN format('NOT EXISTS (SELECT FROM membership x WHERE x.list_id = %s AND x.subscriber_id = q.id AND x.state = ''active'')', a.list_id)
        ELSE (SELECT string_agg(format('NOT EXISTS (SELECT FROM (%s) AS x(id) WHERE x.id = q.id)', segment_query(a.segment_id, t.list_id)), ' AND ')
              FROM campaign_target t WHERE t.campaign_id = of_campaign) END, ' AND ')
    FROM campaign_audience a WHERE a.campaign_id = of_campaign AND a.is_left_out
$$;

-- The query for whom a campaign for several lists is for now: id, list_id, one row a person.
CREATE FUNCTION campaign_copies_query(of_campaign bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
DECLARE
    lists bigint[];
BEGIN
    SELECT array_agg(list_id ORDER BY place) INTO STRICT lists FROM campaign_target WHERE campaign_id = of_campaign;
    RETURN format('WITH kept_out AS MATERIALIZED (SELECT s.id, x.list_id FROM suppression_in_force x'
            ' JOIN subscriber s ON s.address_key = x.value WHERE x.list_id = ANY (%1$L::bigint[]) UNION'
            ' SELECT s.id, x.list_id FROM suppression_in_force x JOIN subscriber s ON split_part(s.address_key, ''@'', 2) = x.value'
            ' WHERE x.kind = ''domain'' AND x.list_id = ANY (%1$L::bigint[]))'
            ' SELECT DISTINCT ON (q.id) q.id, q.list_id FROM (%2$s) AS q(id, list_id, place)'
            ' WHERE NOT EXISTS (SELECT FROM membership x WHERE x.list_id = ANY (%1$L::bigint[]) AND x.subscriber_id = q.id'
            ' AND x.state = ''unsubscribed'') AND %3$s ORDER BY q.id, (q.id, q.list_id) IN (SELECT id, list_id FROM kept_out), q.place',
        lists,
        (SELECT string_agg(format('SELECT w.id, %s::bigint, %s FROM (%s) AS w(id)', each_list, n,
                campaign_wanted_query(of_campaign, each_list)), ' UNION ALL ') FROM unnest(lists) WITH ORDINALITY AS l(each_list, n)),
        coalesce(campaign_left_out_query(of_campaign), 'true'));
END $$;

CREATE FUNCTION campaign_copies(of_campaign bigint) RETURNS TABLE (id bigint, list_id bigint)
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = verpost, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE campaign_copies_query(of_campaign);
END $$;

CREATE OR REPLACE FUNCTION campaign_people_query(of_campaign bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM campaign_target WHERE campaign_id = of_campaign) > 1 THEN
        RETURN format('SELECT q.id FROM (%s) AS q', campaign_copies_query(of_campaign));
    END IF;
    RETURN (SELECT format('SELECT q.id FROM (%s) AS q(id) WHERE %s', campaign_wanted_query(c.id, c.list_id),
            coalesce(campaign_left_out_query(c.id), 'true')) FROM campaign c WHERE c.id = of_campaign);
END $$;

-- Of a campaign for several lists, as things are now: how many go through each list, in their order.
CREATE FUNCTION campaign_copies_by_list(of_campaign bigint) RETURNS TABLE (list_id bigint, people bigint)
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT t.list_id, count(q.id) FROM campaign_target t LEFT JOIN (%s) AS q ON q.list_id = t.list_id'
        ' WHERE t.campaign_id = %s GROUP BY t.list_id, t.place ORDER BY t.place', campaign_copies_query(of_campaign), of_campaign);
END $$;

-- Active members of any of a campaign's lists: those who are in several, and those who left another of them.
CREATE FUNCTION campaign_overlap(of_campaign bigint) RETURNS TABLE (in_several bigint, unsubscribed bigint)
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT count(*) FILTER (WHERE active > 1), count(*) FILTER (WHERE gone > 0)
    FROM (SELECT count(*) FILTER (WHERE m.state = 'active') AS active, count(*) FILTER (WHERE m.state = 'unsubscribed') AS gone
          FROM campaign_target t JOIN membership m ON m.list_id = t.list_id WHERE t.campaign_id = of_campaign
          GROUP BY m.subscriber_id) AS one WHERE active > 0
$$;

-- Active members of any of its lists who are in the segment or the list of one of its parts.
CREATE FUNCTION campaign_part_count(of_campaign bigint, of_segment bigint, of_list bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
DECLARE
    people bigint;
BEGIN
    EXECUTE (SELECT 'SELECT count(*) FROM (' || string_agg(CASE WHEN of_segment <> 0 THEN segment_query(of_segment, t.list_id)
            ELSE format('SELECT m.subscriber_id FROM membership m JOIN membership x ON x.list_id = %s AND x.subscriber_id = m.subscriber_id'
                ' AND x.state = ''active'' WHERE m.list_id = %s AND m.state = ''active''', of_list, t.list_id) END, ' UNION ') || ') AS q'
        FROM campaign_target t WHERE t.campaign_id = of_campaign) INTO people;
    RETURN people;
END $$;

INSERT INTO erasable (deed, place, said) VALUES ('named', 'campaign_audience', 'list_title'), ('named', 'campaign_audience', 'list_headers'),
    ('never', 'campaign_audience', 'list_header_id');
