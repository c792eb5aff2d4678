-- verpost 039: who is suppressed is a mailbox, whichever way it is spelled, for sending as for joining.
--
-- subscriber.canonical is the mailbox that an address is another spelling of (ja.ne.x@gmail.com: janex@gmail.com). Import and the verbs on
-- subscribers refuse by it; sending asked for the address as it is spelled. A suppression names the mailbox from now on, and everybody asks for the
-- address, for its mailbox, and for the domains of both.
--
-- A sender of the release before asks for the address alone until it is restarted; it sends nothing that it would not have sent before.

-- What may keep mail from an address: values of suppression. canonical may be null.
CREATE FUNCTION suppression_values(address_key text, canonical text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY[address_key, canonical, split_part(address_key, '@', 2), split_part(canonical, '@', 2)]
$$;

-- Of somebody who is no subscriber the mailbox is not known here: the address is asked for.
CREATE OR REPLACE FUNCTION is_suppressed(key text, list bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT EXISTS (SELECT FROM suppression_in_force x
                   WHERE x.value = ANY (suppression_values(key, (SELECT s.canonical FROM subscriber s WHERE s.address_key = key)))
                     AND (x.list_id IS NULL OR x.list_id = list))
$$;

-- The same for all at once: who is suppressed, and for which list (null: for all). Somebody may stand in it more than once.
CREATE VIEW suppressed_subscriber AS
    SELECT s.id, x.list_id FROM suppression_in_force x JOIN subscriber s ON s.address_key = x.value
    UNION ALL
    SELECT s.id, x.list_id FROM suppression_in_force x JOIN subscriber s ON s.canonical = x.value
    UNION ALL
    SELECT s.id, x.list_id FROM suppression_in_force x JOIN subscriber s ON split_part(s.address_key, '@', 2) = x.value
    WHERE x.kind = 'domain'
    UNION ALL
    SELECT s.id, x.list_id FROM suppression_in_force x JOIN subscriber s ON split_part(s.canonical, '@', 2) = x.value
    WHERE x.kind = 'domain' AND s.canonical IS NOT NULL;
GRANT SELECT ON suppressed_subscriber TO verpost_sender, verpost_bounced;
GRANT EXECUTE ON FUNCTION suppression_values(text, text) TO verpost_sender, verpost_bounced;

-- As in 037, but for whom is kept out.
CREATE OR REPLACE FUNCTION campaign_copies_query(of_campaign bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = verpost, pg_temp AS $$
DECLARE
    lists bigint[];
BEGIN
    SELECT array_agg(list_id ORDER BY place) INTO STRICT lists FROM campaign_target WHERE campaign_id = of_campaign;
    RETURN format('WITH kept_out AS MATERIALIZED (SELECT x.id, x.list_id FROM suppressed_subscriber x'
            ' WHERE x.list_id = ANY (%1$L::bigint[]))'
            ' SELECT DISTINCT ON (q.id) q.id, q.list_id FROM (%2$s) AS q(id, list_id, place)'
            ' WHERE NOT EXISTS (SELECT FROM membership x WHERE x.list_id = ANY (%1$L::bigint[]) AND x.subscriber_id = q.id'
            ' AND x.state = ''unsubscribed'') AND %3$s ORDER BY q.id, (q.id, q.list_id) IN (SELECT id, list_id FROM kept_out), q.place',
        lists,
        (SELECT string_agg(format('SELECT w.id, %s::bigint, %s FROM (%s) AS w(id)', each_list, n,
                campaign_wanted_query(of_campaign, each_list)), ' UNION ALL ') FROM unnest(lists) WITH ORDINALITY AS l(each_list, n)),
        coalesce(campaign_left_out_query(of_campaign), 'true'));
END $$;

-- Suppressions that name a spelling of somebody who is known name his mailbox too.
INSERT INTO suppression (kind, value, list_id, reason, source, created_at, expires_at)
    SELECT 'address', s.canonical, x.list_id, x.reason, x.source, x.created_at, x.expires_at
    FROM suppression_in_force x JOIN subscriber s ON s.address_key = x.value WHERE x.kind = 'address' AND s.canonical IS NOT NULL;
