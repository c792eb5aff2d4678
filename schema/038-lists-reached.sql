-- verpost 038: how many copies were sent (033) of campaigns for several lists, by the list that each copy went through (037): they stood with the
-- campaign's own.

CREATE OR REPLACE FUNCTION add_list_copies(campaign bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = verpost, pg_temp SET work_mem = '64MB' AS $$
DECLARE
    of_list bigint;
BEGIN
    LOCK TABLE list_copies IN SHARE ROW EXCLUSIVE MODE;
    SELECT c.list_id INTO of_list FROM campaign c WHERE c.id = campaign AND c.ended_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM campaign_added a WHERE a.campaign_id = campaign)
        AND c.audience = (SELECT count(*) FROM delivery d WHERE d.campaign_id = campaign);
    IF of_list IS NULL THEN
        RETURN false;
    END IF;
    WITH old AS (DELETE FROM list_copies WHERE list_id IN (SELECT list_id FROM campaign_target WHERE campaign_id = campaign)
            RETURNING list_id, domain, copies),
    new AS (SELECT coalesce(h.list_id, of_list) AS list_id, coalesce(split_part(s.address_key, '@', 2), '') AS domain, count(*) AS copies
            FROM delivery d LEFT JOIN subscriber s ON s.id = d.subscriber_id
            LEFT JOIN campaign_reached h ON h.campaign_id = campaign AND h.subscriber_id = d.subscriber_id
            WHERE d.campaign_id = campaign AND is_copy(d.outcome) GROUP BY 1, 2)
    INSERT INTO list_copies (list_id, domain, copies)
    SELECT list_id, domain, sum(copies) FROM (SELECT * FROM old UNION ALL SELECT * FROM new) AS both_of_them
    GROUP BY list_id, domain HAVING sum(copies) <> 0;
    INSERT INTO campaign_added VALUES (campaign);
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION move_list_copies() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
DECLARE
    new_domain text := '';
BEGIN
    LOCK TABLE list_copies IN ROW EXCLUSIVE MODE;
    IF TG_OP = 'UPDATE' THEN
        new_domain := split_part(NEW.address_key, '@', 2);
    END IF;
    INSERT INTO list_copies (list_id, domain, copies)
    SELECT coalesce(h.list_id, c.list_id), side.domain, side.sign * count(*) FROM campaign_added a JOIN campaign c ON c.id = a.campaign_id
    CROSS JOIN LATERAL (SELECT FROM delivery d WHERE d.campaign_id = c.id AND d.subscriber_id = OLD.id AND is_copy(d.outcome) OFFSET 0) AS copy
    LEFT JOIN LATERAL (SELECT r.list_id FROM campaign_reached r WHERE r.campaign_id = c.id AND r.subscriber_id = OLD.id OFFSET 0) AS h ON true
    CROSS JOIN (VALUES (split_part(OLD.address_key, '@', 2), -1), (new_domain, 1)) AS side(domain, sign)
    GROUP BY 1, side.domain, side.sign;
    RETURN NULL;
END $$;

-- What was added of campaigns for several lists stands with their own: it moves to the lists that the copies went through.
LOCK TABLE list_copies IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO list_copies (list_id, domain, copies)
SELECT side.list_id, coalesce(split_part(s.address_key, '@', 2), ''), side.sign * count(*) FROM campaign_added a
JOIN campaign c ON c.id = a.campaign_id JOIN campaign_reached h ON h.campaign_id = c.id
JOIN delivery d ON d.campaign_id = c.id AND d.subscriber_id = h.subscriber_id AND is_copy(d.outcome)
LEFT JOIN subscriber s ON s.id = d.subscriber_id
CROSS JOIN LATERAL (VALUES (c.list_id, -1), (h.list_id, 1)) AS side(list_id, sign) GROUP BY 1, 2, side.sign;
