-- verpost 050: storms: many hard bounces of one text at one mail operator, among addresses that had accepted before.
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

-- Whether a report counts for nothing because a storm holds it or was voided. No SET clause: it is inlined into the statement that asks.
CREATE FUNCTION is_stormy(of_key bigint, came timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT of_key IS NOT NULL AND EXISTS (SELECT FROM storm s
        WHERE s.key = of_key AND s.since <= came AND came < s.until AND s.state <> 'applied')
$$;

-- All reports of failures, for who reads many. One that two storms hold, of which one was opened again, stands here twice.
CREATE VIEW failure_report AS
    SELECT e.campaign_id, e.id, e.subscriber_id, e.source, e.received_at, e.reason, e.recipient, e.judged_at,
        e.voided OR s.key IS NOT NULL AS voided
    FROM bounce_event e LEFT JOIN storm s ON s.key = e.storm_key AND s.since <= e.received_at AND e.received_at < s.until
        AND s.state <> 'applied'
    WHERE e.kind IN ('bounce-hard', 'bounce-soft') AND NOT e.orphan;

-- The domain group of an address, or its domain.
CREATE FUNCTION storm_group(address_key text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT g.name FROM domain_group_domain d JOIN domain_group g ON g.id = d.group_id
        WHERE d.domain = split_part(address_key, '@', 2)), split_part(address_key, '@', 2))
$$;

INSERT INTO erasable (deed, place, said) VALUES
    ('never', 'storm', 'group_name'), ('never', 'storm', 'reason'), ('blanked', 'storm', 'said'), ('never', 'storm', 'state'),
    ('named', 'storm', 'decided_by'), ('blanked', 'storm', 'decided_why');

GRANT SELECT ON failure_report TO verpost_sender, verpost_bounced;
GRANT SELECT, INSERT, UPDATE, DELETE ON storm_count TO verpost_sender, verpost_bounced;
GRANT SELECT, INSERT ON storm TO verpost_sender, verpost_bounced;
GRANT UPDATE (until, told_at, batch_id) ON storm TO verpost_sender, verpost_bounced;
GRANT SELECT, INSERT ON prune_batch TO verpost_sender, verpost_bounced;
GRANT SELECT, INSERT, UPDATE ON prune_change TO verpost_sender, verpost_bounced;
GRANT EXECUTE ON FUNCTION is_stormy(bigint, timestamptz), storm_group(text) TO verpost_sender, verpost_bounced;
