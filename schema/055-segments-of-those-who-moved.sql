-- verpost 055: who has moved is not in a segment for what came back of the former address: it counts for nobody, and the address of now may be good.

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
            ' AND NOT EXISTS (SELECT FROM storm w WHERE w.key = b.storm_key AND w.since <= b.received_at AND b.received_at < w.until AND w.state <> ''applied'')'
            ' AND b.kind IN (''bounce-hard'', ''bounce-soft'', ''complaint'')'
            ' AND NOT (b.kind <> ''complaint'' AND EXISTS (SELECT FROM subscriber f JOIN delivery d ON d.subscriber_id = f.id'
            ' WHERE f.id = b.subscriber_id AND f.address_since IS NOT NULL AND d.campaign_id = b.campaign_id'
            ' AND is_of_former_address(d.at, b.recipient, f.address_key, f.address_since) OFFSET 0)))', who, one.bounced_reasons,
            coalesce(now() - make_interval(days => one.bounced_days), '-infinity')) END,
        (SELECT string_agg(format('EXISTS (SELECT FROM membership x WHERE x.list_id = %s AND x.subscriber_id = %s AND x.state = ''active'')',
            each_list, who), ' AND ') FROM unnest(one.member_of) AS each_list),
        CASE WHEN one.not_member_of IS NOT NULL THEN format('NOT EXISTS (SELECT FROM membership x WHERE x.list_id = ANY (%L::bigint[])'
            ' AND x.subscriber_id = %s AND x.state = ''active'')', one.not_member_of, who) END)
$$;
