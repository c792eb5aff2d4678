-- verpost 056: what wants a person, told once.
--
-- `listctl alert send`, which a timer runs, sees what is wrong: what the tables say, and what it finds itself (the MX of the bounce domain). A row is one
-- thing that is wrong; it stays for a while after it has ended, so that what comes and goes is told no more often than alert.interval says.
-- No daemon may read or write it: its rows end in a program that is run.

CREATE TABLE alert (
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('campaign', 'group', 'storm', 'relay', 'mx')),
    subject text COLLATE "C" NOT NULL,
    said text NOT NULL,
    first_at timestamptz NOT NULL DEFAULT now(), -- since when it lasts
    last_at timestamptz NOT NULL DEFAULT now(),  -- when it was seen last
    ended_at timestamptz,                        -- null: it lasts
    told_at timestamptz,
    PRIMARY KEY (kind, subject)
);
INSERT INTO erasable (deed, place, said) VALUES ('never', 'alert', 'kind'), ('never', 'alert', 'subject'), ('blanked', 'alert', 'said');

-- All that is wrong by the tables. What a person has paused is not.
CREATE FUNCTION troubles(alive_s integer) RETURNS TABLE (kind text, subject text, said text)
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT 'campaign', c.name, CASE c.state WHEN 'paused' THEN 'it is paused: ' ELSE 'it does not start: ' END || c.hold_reason
    FROM campaign c WHERE c.state IN ('paused', 'scheduled') AND c.hold_reason IS NOT NULL AND c.hold_reason NOT LIKE 'paused by %'
    UNION ALL
    SELECT 'group', h.group_name || ' in ' || c.name, 'its recipients are held: ' || h.reason
    FROM campaign_group_hold h JOIN campaign c ON c.id = h.campaign_id WHERE c.state IN ('running', 'paused')
    UNION ALL
    SELECT 'storm', s.id::text, 'bounces at ' || s.group_name || ' are held until a person decides: ' || s.reason
    FROM storm s WHERE s.state = 'holding'
    UNION ALL
    SELECT 'relay', r.relay, 'it takes no mail: ' || r.reason FROM relay_troubles(alive_s) r WHERE r.is_everywhere
$$;
REVOKE ALL ON FUNCTION troubles(integer) FROM PUBLIC;

-- What is wrong now, of these kinds, and all of it: others of them have ended.
CREATE FUNCTION alerts_notice(kinds text[], of_kind text[], subjects text[], texts text[]) RETURNS void
LANGUAGE sql SET search_path = verpost, pg_temp AS $$
    INSERT INTO alert AS a (kind, subject, said) SELECT DISTINCT ON (k, s) k, s, t FROM unnest(of_kind, subjects, texts) AS v(k, s, t)
    ORDER BY k, s
    ON CONFLICT (kind, subject) DO UPDATE SET said = excluded.said, last_at = now(), ended_at = NULL,
        first_at = CASE WHEN a.ended_at IS NULL THEN a.first_at ELSE now() END;
    UPDATE alert a SET ended_at = now() WHERE a.kind = ANY (kinds) AND a.ended_at IS NULL
        AND NOT EXISTS (SELECT FROM unnest(of_kind, subjects) AS v(k, s) WHERE v.k = a.kind AND v.s = a.subject);
    DELETE FROM alert WHERE ended_at < now() - interval '90 days';
$$;
REVOKE ALL ON FUNCTION alerts_notice(text[], text[], text[], text[]) FROM PUBLIC;
