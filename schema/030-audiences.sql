-- verpost 030: whom of its list a campaign is for.
--
-- Without a row here, all active members of the list. Else those of them who are in one of its segments, if it names any, and in none of the
-- lists and segments that it leaves out. Asked when it starts, and never again: what a segment means by then is kept as a text.

CREATE TABLE campaign_audience (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    place smallint NOT NULL,
    is_left_out boolean NOT NULL,
    list_id bigint REFERENCES list CHECK (list_id IS NULL OR is_left_out),
    segment_id bigint REFERENCES segment, -- null once it was removed, which only campaigns that have ended let happen
    name text NOT NULL,
    definition text, -- the segment's, when the campaign started
    PRIMARY KEY (campaign_id, place),
    CHECK (list_id IS NULL OR segment_id IS NULL)
);
CREATE INDEX campaign_audience_by_segment ON campaign_audience (segment_id);
GRANT SELECT, UPDATE (definition) ON campaign_audience TO verpost_sender;

-- The query for the ids of those whom campaign `of_campaign` is for now, and what names them.
CREATE FUNCTION campaign_people_query(of_campaign bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
DECLARE
    of_list bigint;
    wanted text;
    conditions text;
BEGIN
    SELECT list_id INTO STRICT of_list FROM campaign WHERE id = of_campaign;
    SELECT string_agg(segment_query(a.segment_id, of_list), ' UNION ' ORDER BY a.place) INTO wanted
    FROM campaign_audience a WHERE a.campaign_id = of_campaign AND NOT a.is_left_out;
    SELECT string_agg(CASE WHEN a.list_id IS NOT NULL
        THEN format('NOT EXISTS (SELECT FROM membership x WHERE x.list_id = %s AND x.subscriber_id = q.id AND x.state = ''active'')', a.list_id)
        ELSE format('NOT EXISTS (SELECT FROM (%s) AS x(id) WHERE x.id = q.id)', segment_query(a.segment_id, of_list)) END, ' AND ')
    INTO conditions FROM campaign_audience a WHERE a.campaign_id = of_campaign AND a.is_left_out;
    RETURN format('SELECT q.id FROM (%s) AS q(id) WHERE %s',
        coalesce(wanted, format('SELECT m.subscriber_id FROM membership m WHERE m.list_id = %s AND m.state = ''active''', of_list)),
        coalesce(conditions, 'true'));
END $$;

CREATE FUNCTION campaign_people(of_campaign bigint) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = verpost, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE campaign_people_query(of_campaign);
END $$;

CREATE FUNCTION campaign_people_count(of_campaign bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
DECLARE
    people bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM (' || campaign_people_query(of_campaign) || ') AS q' INTO people;
    RETURN people;
END $$;
