-- verpost 033: how many copies each domain was sent, without counting millions of ledger rows whenever somebody asks.
--
-- A campaign whose ledger is complete is added to its list once, by whoever counts next: a complete ledger never changes. What changes is who a
-- copy's domain is: a person moves to an address elsewhere, or is erased, and takes their copies along, in the same transaction. Sums, not rows:
-- a domain may stand here several times, and nobody who moves waits for another who does.

CREATE TABLE list_copies (
    list_id bigint NOT NULL, -- no foreign key: it is written in thousands of rows, and lists stay
    domain text COLLATE "C" NOT NULL, -- empty: of people who are gone
    copies bigint NOT NULL
);
CREATE INDEX list_copies_by_list ON list_copies (list_id);

-- Whose copies are in there.
CREATE TABLE campaign_added (
    campaign_id bigint PRIMARY KEY REFERENCES campaign
);

-- Whether a ledger row is a copy that was handed to a relay, asked in one place. No SET clause: it is inlined.
CREATE FUNCTION is_copy(outcome delivery_outcome) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT outcome IN ('accepted', 'refused', 'expired') $$;

-- Adds a campaign, unless its ledger may still grow or it was added before. Whoever moves people meanwhile waits, and then takes along what was
-- added; who had begun to is waited for.
CREATE FUNCTION add_list_copies(campaign bigint) RETURNS boolean
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
    WITH old AS (DELETE FROM list_copies WHERE list_id = of_list RETURNING domain, copies),
    new AS (SELECT coalesce(split_part(s.address_key, '@', 2), '') AS domain, count(*) AS copies
            FROM delivery d LEFT JOIN subscriber s ON s.id = d.subscriber_id
            WHERE d.campaign_id = campaign AND is_copy(d.outcome) GROUP BY 1)
    INSERT INTO list_copies (list_id, domain, copies)
    SELECT of_list, domain, sum(copies) FROM (SELECT * FROM old UNION ALL SELECT * FROM new) AS both_of_them
    GROUP BY domain HAVING sum(copies) <> 0;
    INSERT INTO campaign_added VALUES (campaign);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION add_list_copies(bigint) FROM PUBLIC;

-- A person's copies go with them to the domain of their new address, or to nobody's.
CREATE FUNCTION move_list_copies() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
DECLARE
    new_domain text := '';
BEGIN
    LOCK TABLE list_copies IN ROW EXCLUSIVE MODE;
    IF TG_OP = 'UPDATE' THEN
        new_domain := split_part(NEW.address_key, '@', 2);
    END IF;
    INSERT INTO list_copies (list_id, domain, copies)
    SELECT c.list_id, side.domain, side.sign * count(*) FROM campaign_added a JOIN campaign c ON c.id = a.campaign_id
    CROSS JOIN LATERAL (SELECT FROM delivery d WHERE d.campaign_id = c.id AND d.subscriber_id = OLD.id AND is_copy(d.outcome) OFFSET 0) AS copy
    CROSS JOIN (VALUES (split_part(OLD.address_key, '@', 2), -1), (new_domain, 1)) AS side(domain, sign)
    GROUP BY c.list_id, side.domain, side.sign;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION move_list_copies() FROM PUBLIC;
CREATE TRIGGER subscriber_moves_copies AFTER UPDATE OF address_key ON subscriber FOR EACH ROW
    WHEN (split_part(OLD.address_key, '@', 2) IS DISTINCT FROM split_part(NEW.address_key, '@', 2)) EXECUTE FUNCTION move_list_copies();
CREATE TRIGGER subscriber_leaves_copies AFTER DELETE ON subscriber FOR EACH ROW EXECUTE FUNCTION move_list_copies();
