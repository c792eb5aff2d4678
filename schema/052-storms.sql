-- verpost 052: storms: many hard bounces of one text at one mail operator, among addresses that had accepted before.
--
-- A report about an address keeps by what its text is known again there (storm_key, of the domain group, or of the domain that is in none, and
-- the normalised text). Whether a storm holds it is not written into it, but follows from its key and the time it came: so a storm of a million
-- reports opens, is voided and applied by one row. Programs of the release before write no keys, and judge what is held.
ALTER TABLE bounce_event ADD COLUMN storm_key bigint;
CREATE INDEX bounce_event_by_storm ON bounce_event (storm_key, received_at) WHERE storm_key IS NOT NULL;

-- How many came, a row a text, slot of ten minutes and connection: no two wait for each other.
CREATE TABLE storm_count (
    key bigint NOT NULL,
    slot timestamptz NOT NULL,
    source integer NOT NULL, -- the server process of the connection
    events bigint NOT NULL,
    PRIMARY KEY (key, slot, source)
) WITH (fillfactor = 50);
CREATE INDEX storm_count_by_age ON storm_count (slot);

-- Texts of which many came and that were looked at, so that they are not looked at all the time.
CREATE TABLE storm_look (
    key bigint PRIMARY KEY,
    looked_at timestamptz NOT NULL,
    came bigint NOT NULL,
    is_told boolean NOT NULL -- false: what was sent is not tallied yet
);

-- holding -> void | applied, and from each to the other; undo of what was applied -> holding. No two of one key hold at the same time, and none begins before
-- the last one of its key has ended.
CREATE TABLE storm (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bigint NOT NULL,
    group_name text COLLATE "C" NOT NULL, -- or the domain that is in no group
    reason text NOT NULL,                 -- of the report that was looked at when it opened
    said text NOT NULL,                   -- its text, normalised: without addresses and numbers
    state text NOT NULL DEFAULT 'holding' CHECK (state IN ('holding', 'void', 'applied')),
    since timestamptz NOT NULL, -- reports that came from then
    until timestamptz NOT NULL, -- to then are the storm's
    opened_at timestamptz NOT NULL DEFAULT now(),
    sampled integer NOT NULL,  -- when it opened: of so many addresses
    accepted integer NOT NULL, -- so many had accepted the copy before
    copies bigint NOT NULL,    -- sent to them all meanwhile
    told_at timestamptz,       -- when a program told it
    batch_id bigint REFERENCES prune_batch,   -- what was restored
    decided_at timestamptz,
    decided_by text,
    decided_why text,
    applied_batch_id bigint REFERENCES prune_batch, -- what was disabled
    applied_to bigint NOT NULL DEFAULT 0, -- up to this subscriber; when all are done, the largest number
    CHECK (since < until),
    CHECK ((state = 'holding') = (decided_at IS NULL)),
    CHECK ((decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (decided_why IS NULL))
);
CREATE UNIQUE INDEX storm_holding ON storm (key) WHERE state = 'holding';
CREATE INDEX storm_by_key ON storm (key, until);

ALTER TABLE prune_batch DROP CONSTRAINT prune_batch_kind_check,
    ADD CONSTRAINT prune_batch_kind_check CHECK (kind IN ('prune', 'reclassify', 'storm'));

-- All reports of failures, for who reads many. One that two storms hold, of which one was opened again, stands here twice.
CREATE VIEW failure_report AS
    SELECT e.campaign_id, e.id, e.subscriber_id, e.source, e.received_at, e.reason, e.recipient, e.judged_at,
        e.voided OR s.key IS NOT NULL AS voided
    FROM bounce_event e LEFT JOIN storm s ON s.key = e.storm_key AND s.since <= e.received_at AND e.received_at < s.until
        AND s.state <> 'applied'
    WHERE e.kind IN ('bounce-hard', 'bounce-soft') AND NOT e.orphan;

-- Nor does it say in a segment that somebody bounced.
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
            ' AND b.kind IN (''bounce-hard'', ''bounce-soft'', ''complaint''))', who, one.bounced_reasons,
            coalesce(now() - make_interval(days => one.bounced_days), '-infinity')) END,
        (SELECT string_agg(format('EXISTS (SELECT FROM membership x WHERE x.list_id = %s AND x.subscriber_id = %s AND x.state = ''active'')',
            each_list, who), ' AND ') FROM unnest(one.member_of) AS each_list),
        CASE WHEN one.not_member_of IS NOT NULL THEN format('NOT EXISTS (SELECT FROM membership x WHERE x.list_id = ANY (%L::bigint[])'
            ' AND x.subscriber_id = %s AND x.state = ''active'')', one.not_member_of, who) END)
$$;

INSERT INTO erasable (deed, place, said) VALUES
    ('never', 'storm', 'group_name'), ('never', 'storm', 'reason'), ('blanked', 'storm', 'said'), ('never', 'storm', 'state'),
    ('named', 'storm', 'decided_by'), ('blanked', 'storm', 'decided_why');

GRANT SELECT ON failure_report TO verpost_sender, verpost_bounced;
GRANT SELECT, INSERT, UPDATE, DELETE ON storm_count, storm_look TO verpost_sender, verpost_bounced;
GRANT SELECT, INSERT ON storm TO verpost_sender, verpost_bounced;
GRANT UPDATE (until, told_at, batch_id) ON storm TO verpost_sender, verpost_bounced;
GRANT SELECT, INSERT ON prune_batch TO verpost_sender, verpost_bounced;
GRANT SELECT, INSERT, UPDATE ON prune_change TO verpost_sender, verpost_bounced;
