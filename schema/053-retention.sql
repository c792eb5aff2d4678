-- verpost 053: what is old goes, and what it says of an address stays.
--
-- A campaign that ended longer ago than retention.ledger loses its ledger, the events about it and its frozen audience, by `listctl maintain`. Of them stays:
-- the sums of the campaign, and of each person the reports and the one success from which the same verdict follows as before. A block of
-- campaigns all of which are due is dropped as a whole; of others the rows go, a campaign a transaction.
-- Programs of the release before do not know what stays: they judge by what is in the ledger alone, and disable fewer.

-- The sums of a campaign whose ledger is gone.
CREATE TABLE campaign_past (
    campaign_id bigint PRIMARY KEY REFERENCES campaign,
    dropped_at timestamptz NOT NULL DEFAULT now(),
    accepted bigint NOT NULL,
    refused bigint NOT NULL,
    expired bigint NOT NULL,
    skipped bigint NOT NULL,
    bounced bigint NOT NULL,   -- people of whom a bounce came back
    complained bigint NOT NULL -- people who complained
);
GRANT SELECT ON campaign_past TO verpost_sender, verpost_bounced;

-- The reports about dropped attempts, no text of them: bounces since the last success that is known, and complaints. One of each kind, reason and
-- source about an attempt, the first.
CREATE TABLE past_report (
    subscriber_id bigint NOT NULL REFERENCES subscriber ON DELETE CASCADE,
    campaign_id bigint NOT NULL,
    sent_at timestamptz NOT NULL, -- delivery.at
    kind bounce_kind NOT NULL CHECK (kind IN ('bounce-hard', 'bounce-soft', 'complaint')),
    reason text NOT NULL,
    source text NOT NULL CHECK (source IN ('reply', 'report', 'ingest')),
    received_at timestamptz NOT NULL,
    voided boolean NOT NULL DEFAULT false,
    storm_key bigint, -- a storm may hold it, or be void or applied later (052)
    PRIMARY KEY (subscriber_id, campaign_id, kind, reason, source)
);

-- The last success among the dropped attempts, of people of whom anything ever came back: it may acquit of an older failure.
CREATE TABLE past_success (
    subscriber_id bigint PRIMARY KEY REFERENCES subscriber ON DELETE CASCADE,
    campaign_id bigint NOT NULL,
    sent_at timestamptz NOT NULL
);
GRANT SELECT ON past_report, past_success TO verpost_sender, verpost_bounced;
INSERT INTO erasable (deed, place, said) VALUES ('never', 'past_report', 'reason'), ('never', 'past_report', 'source');

-- All reports about people, with the time of the attempt where the ledger does not have it any more.
CREATE VIEW reported AS
    SELECT subscriber_id, campaign_id, kind, reason, source, received_at, recipient, voided, orphan, judged_at, storm_key,
        NULL::timestamptz AS sent_at
    FROM bounce_event
    UNION ALL
    SELECT subscriber_id, campaign_id, kind, reason, source, received_at, NULL, voided, false, received_at, storm_key, sent_at
    FROM past_report;

CREATE OR REPLACE VIEW failure_report AS
    SELECT e.campaign_id, e.id, e.subscriber_id, e.source, e.received_at, e.reason, e.recipient, e.judged_at,
        e.voided OR s.key IS NOT NULL AS voided, NULL::timestamptz AS sent_at
    FROM bounce_event e LEFT JOIN storm s ON s.key = e.storm_key AND s.since <= e.received_at AND e.received_at < s.until
        AND s.state <> 'applied'
    WHERE e.kind IN ('bounce-hard', 'bounce-soft') AND NOT e.orphan
    UNION ALL
    SELECT e.campaign_id, NULL, e.subscriber_id, e.source, e.received_at, e.reason, NULL, e.received_at,
        e.voided OR s.key IS NOT NULL, e.sent_at
    FROM past_report e LEFT JOIN storm s ON s.key = e.storm_key AND s.since <= e.received_at AND e.received_at < s.until
        AND s.state <> 'applied'
    WHERE e.kind <> 'complaint';
GRANT SELECT ON reported TO verpost_sender, verpost_bounced;

-- When an attempt was, by the ledger or, of a dropped one, by its report. No SET clause: it is inlined.
CREATE FUNCTION attempt_of(campaign bigint, person bigint, past timestamptz) RETURNS TABLE (at timestamptz, outcome delivery_outcome)
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT d.at, d.outcome FROM delivery d WHERE past IS NULL AND d.campaign_id = campaign AND d.subscriber_id = person
    UNION ALL
    SELECT past, 'accepted'::delivery_outcome WHERE past IS NOT NULL
$$;
GRANT EXECUTE ON FUNCTION attempt_of(bigint, bigint, timestamptz) TO verpost_sender, verpost_bounced;

-- ---- which campaigns are due ----------------------------------------------------------------------------------------------------

-- How far back a segment asks for what was accepted or came back: that is not dropped under it.
CREATE FUNCTION segments_ask_since() RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT coalesce(now() - make_interval(days => max(greatest(accepted_days, silent_days, bounced_days))), 'infinity') FROM segment
$$;

-- Nothing of them is under way or may still come: nobody waits or is in doubt, no worker holds any, each report is judged and no storm
-- holds it.
CREATE FUNCTION is_past(one campaign, before timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT one.ended_at < before
        AND NOT EXISTS (SELECT FROM campaign_past p WHERE p.campaign_id = one.id)
        AND NOT EXISTS (SELECT FROM deferral f WHERE f.campaign_id = one.id)
        AND NOT EXISTS (SELECT FROM chunk_window w WHERE w.campaign_id = one.id)
        AND NOT EXISTS (SELECT FROM campaign_chunk k WHERE k.campaign_id = one.id AND NOT k.done)
        AND NOT EXISTS (SELECT FROM bounce_event e WHERE e.campaign_id = one.id AND e.judged_at IS NULL)
        AND NOT EXISTS (SELECT FROM storm s JOIN bounce_event e ON e.storm_key = s.key AND s.since <= e.received_at
            AND e.received_at < s.until WHERE s.state = 'holding' AND e.campaign_id = one.id)
$$;

-- A row a transaction: the campaigns of a block all of which are past or due, which is dropped; or one that is due.
CREATE FUNCTION retention_due(before timestamptz) RETURNS TABLE (block bigint, campaigns bigint[], names text, ended_at timestamptz, people bigint)
LANGUAGE sql STABLE SET search_path = verpost, pg_temp SET jit = off AS $$
    WITH one AS (SELECT c.id, c.name, c.ended_at, coalesce(c.audience, 0) AS audience, c.id / 1024 AS block,
            is_past(c, least(before, segments_ask_since())) AS due, p.campaign_id IS NOT NULL AS past
        FROM campaign c LEFT JOIN campaign_past p ON p.campaign_id = c.id),
    whole AS (SELECT o.block FROM one o WHERE o.block > 0 AND (o.block + 1) * 1024 <= (SELECT max(id) FROM campaign)
        GROUP BY 1 HAVING bool_and(o.due OR o.past) AND bool_or(o.due))
    SELECT o.block, array_agg(o.id ORDER BY o.id), min(o.name) || ' to ' || max(o.name), max(o.ended_at), sum(o.audience)::bigint
    FROM one o JOIN whole USING (block) WHERE o.due GROUP BY 1
    UNION ALL
    SELECT NULL, ARRAY[o.id], o.name, o.ended_at, o.audience FROM one o WHERE o.due AND o.block NOT IN (SELECT block FROM whole)
    ORDER BY 4
$$;
REVOKE ALL ON FUNCTION retention_due(timestamptz) FROM PUBLIC;

-- ---- what stays of them -----------------------------------------------------------------------------------------------------------

-- Whether a report makes an attempt one that did not arrive, in the eyes of verdicts. No SET clause: it is inlined.
CREATE FUNCTION is_failure_of(kind bounce_kind, orphan boolean) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT kind IN ('bounce-hard', 'bounce-soft') AND NOT orphan $$;

CREATE FUNCTION fold_campaigns(ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = verpost, pg_temp SET work_mem = '64MB' SET jit = off AS $$
BEGIN
    -- The sums by list and domain are of what is kept (033). Whoever moves people meanwhile waits.
    LOCK TABLE list_copies IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO list_copies (list_id, domain, copies)
    SELECT coalesce(h.list_id, c.list_id), coalesce(split_part(s.address_key, '@', 2), ''), -count(*)
    FROM campaign_added a JOIN campaign c ON c.id = a.campaign_id JOIN delivery d ON d.campaign_id = c.id AND is_copy(d.outcome)
    LEFT JOIN subscriber s ON s.id = d.subscriber_id
    LEFT JOIN campaign_reached h ON h.campaign_id = c.id AND h.subscriber_id = d.subscriber_id
    WHERE c.id = ANY (ids) AND d.campaign_id = ANY (ids) GROUP BY 1, 2;
    DELETE FROM campaign_added WHERE campaign_id = ANY (ids);

    INSERT INTO campaign_past (campaign_id, accepted, refused, expired, skipped, bounced, complained)
    SELECT u.id, coalesce(d.accepted, 0), coalesce(d.refused, 0), coalesce(d.expired, 0), coalesce(d.skipped, 0),
        coalesce(e.bounced, 0), coalesce(e.complained, 0)
    FROM unnest(ids) AS u(id)
    LEFT JOIN (SELECT campaign_id, count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
            count(*) FILTER (WHERE outcome = 'refused') AS refused, count(*) FILTER (WHERE outcome = 'expired') AS expired,
            count(*) FILTER (WHERE outcome = 'skipped') AS skipped
        FROM delivery WHERE campaign_id = ANY (ids) GROUP BY 1) AS d ON d.campaign_id = u.id
    LEFT JOIN (SELECT campaign_id, count(DISTINCT subscriber_id) FILTER (WHERE kind <> 'complaint') AS bounced,
            count(DISTINCT subscriber_id) FILTER (WHERE kind = 'complaint') AS complained
        FROM bounce_event WHERE campaign_id = ANY (ids) AND NOT orphan AND NOT voided
            AND kind IN ('bounce-hard', 'bounce-soft', 'complaint') GROUP BY 1) AS e ON e.campaign_id = u.id;

    -- What was sent to a former address counts for nobody, now or later.
    INSERT INTO past_report (subscriber_id, campaign_id, sent_at, kind, reason, source, received_at, storm_key)
    SELECT DISTINCT ON (e.subscriber_id, e.campaign_id, e.kind, e.reason, e.source)
        e.subscriber_id, e.campaign_id, d.at, e.kind, e.reason, e.source, e.received_at, e.storm_key
    FROM bounce_event e JOIN delivery d ON d.campaign_id = e.campaign_id AND d.subscriber_id = e.subscriber_id
    JOIN subscriber s ON s.id = e.subscriber_id
    WHERE e.campaign_id = ANY (ids) AND d.campaign_id = ANY (ids) AND NOT e.orphan AND NOT e.voided
        AND (e.kind = 'complaint' OR (e.kind IN ('bounce-hard', 'bounce-soft') AND d.outcome IN ('accepted', 'refused')
            AND NOT is_of_former_address(d.at, e.recipient, s.address_key, s.address_since)))
    ORDER BY e.subscriber_id, e.campaign_id, e.kind, e.reason, e.source, e.storm_key IS NOT NULL, e.received_at
    ON CONFLICT DO NOTHING;

    INSERT INTO past_success (subscriber_id, campaign_id, sent_at)
    SELECT DISTINCT ON (d.subscriber_id) d.subscriber_id, d.campaign_id, d.at
    FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id
    WHERE d.campaign_id = ANY (ids) AND d.outcome = 'accepted'
        AND d.subscriber_id IN (SELECT subscriber_id FROM bounce_event UNION ALL SELECT subscriber_id FROM past_report)
        AND NOT EXISTS (SELECT FROM bounce_event e WHERE e.campaign_id = d.campaign_id AND e.subscriber_id = d.subscriber_id
            AND is_failure_of(e.kind, e.orphan) AND NOT is_of_former_address(d.at, e.recipient, s.address_key, s.address_since))
    ORDER BY d.subscriber_id, d.at DESC, d.campaign_id DESC
    ON CONFLICT (subscriber_id) DO UPDATE SET campaign_id = excluded.campaign_id, sent_at = excluded.sent_at
        WHERE (excluded.sent_at, excluded.campaign_id) > (past_success.sent_at, past_success.campaign_id);

    -- A success acquits of all that was before it.
    DELETE FROM past_report p USING past_success s WHERE s.subscriber_id = p.subscriber_id AND p.kind <> 'complaint'
        AND (p.sent_at, p.campaign_id) < (s.sent_at, s.campaign_id) AND (s.campaign_id = ANY (ids) OR p.campaign_id = ANY (ids));
END $$;
REVOKE ALL ON FUNCTION fold_campaigns(bigint[]) FROM PUBLIC;

-- ---- what goes ------------------------------------------------------------------------------------------------------------------------

-- Of these campaigns: rows and octets of each kind; dry: that would go. Rows that are deleted leave room in their table, a block gives it back.
CREATE FUNCTION retention_weigh(ids bigint[]) RETURNS TABLE (what text, number bigint, octets bigint)
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT 'ledger', count(*), coalesce(sum(pg_column_size(d)), 0)::bigint FROM delivery d WHERE campaign_id = ANY (ids)
    UNION ALL
    SELECT 'events', count(*), coalesce(sum(pg_column_size(e)), 0)::bigint FROM bounce_event e WHERE campaign_id = ANY (ids)
    UNION ALL
    SELECT 'messages', count(*), coalesce(sum(pg_column_size(r.message)), 0)::bigint FROM bounce_raw r WHERE campaign_id = ANY (ids)
    UNION ALL
    SELECT 'audiences', count(*), coalesce(sum(pg_column_size(k.subscriber_ids)), 0)::bigint FROM campaign_chunk k
    WHERE campaign_id = ANY (ids)
$$;
REVOKE ALL ON FUNCTION retention_weigh(bigint[]) FROM PUBLIC;

-- All of it in the caller's transaction. False: another one has done it meanwhile, or something of it is not past any more. of_block: they are all that
-- is left of it. Whoever reads the ledger holds the drop up; sending is held up by it for two seconds at most, then it fails (55P03).
CREATE FUNCTION retention_drop(ids bigint[], of_block bigint, before timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('verpost.retention', 0));
    PERFORM FROM campaign WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
    IF (SELECT count(*) FROM campaign c WHERE c.id = ANY (ids) AND is_past(c, least(before, segments_ask_since()))) <> cardinality(ids) THEN
        RETURN false;
    END IF;
    PERFORM fold_campaigns(ids);
    DELETE FROM bounce_raw WHERE campaign_id = ANY (ids);
    DELETE FROM bounce_revision WHERE campaign_id = ANY (ids);
    DELETE FROM campaign_reached WHERE campaign_id = ANY (ids);
    DELETE FROM campaign_chunk WHERE campaign_id = ANY (ids);
    IF of_block IS NULL THEN
        DELETE FROM bounce_event WHERE campaign_id = ANY (ids);
        DELETE FROM delivery WHERE campaign_id = ANY (ids);
    ELSE
        PERFORM set_config('lock_timeout', '2s', true);
        LOCK TABLE ONLY delivery, ONLY bounce_event IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('DROP TABLE delivery_%s, bounce_event_%s', of_block, of_block);
        PERFORM set_config('lock_timeout', '0', true);
    END IF;
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION retention_drop(bigint[], bigint, timestamptz) FROM PUBLIC;
