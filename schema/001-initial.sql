-- verpost: the first schema. Applied by `listctl db init` in one transaction, in the schema "verpost" (search_path is set).
-- Times are timestamptz; ids are never reused. Keys begin with the campaign or the list.

-- ---- the instance ------------------------------------------------------------------------------------------------------

-- One row: which database this is (keys name it), and which programs it serves.
CREATE TABLE instance (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    schema_version integer NOT NULL CHECK (schema_version > 0),
    oldest_program integer NOT NULL CHECK (oldest_program > 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE schema_migration (
    version integer PRIMARY KEY,
    name text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- ---- people and lists ----------------------------------------------------------------------------------------------------

CREATE TABLE list (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295), -- 32 bits in tokens
    name text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    title text NOT NULL,
    list_id text COLLATE "C" NOT NULL UNIQUE, -- RFC 2919: domain-like, stable for the life of the list
    from_name text NOT NULL DEFAULT '',
    from_address text NOT NULL,
    reply_to text,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One person, one normalised address.
CREATE TABLE subscriber (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id BETWEEN 1 AND 1099511627775), -- 40 bits in tokens
    address text NOT NULL,                         -- for sending: as given, its domain in A-labels
    address_key text COLLATE "C" NOT NULL UNIQUE, -- for comparing: lower case
    name text NOT NULL DEFAULT '',
    attributes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TYPE membership_state AS ENUM ('unconfirmed', 'active', 'unsubscribed', 'disabled', 'removed');

CREATE TABLE membership (
    list_id bigint NOT NULL REFERENCES list,
    subscriber_id bigint NOT NULL REFERENCES subscriber,
    state membership_state NOT NULL DEFAULT 'active',
    reason text,             -- a bounce reason, or how it came to the state: import, mailto, listctl, complaint ...
    since timestamptz NOT NULL DEFAULT now(),
    campaign_id bigint,      -- the campaign whose report decided, when one did
    PRIMARY KEY (list_id, subscriber_id),
    CHECK (state IN ('unconfirmed', 'active') OR reason IS NOT NULL)
);
CREATE INDEX membership_by_subscriber ON membership (subscriber_id);
CREATE INDEX membership_disabled ON membership (list_id, since) WHERE state = 'disabled';

-- Never again: an address or a domain, for one list or (list_id null) for the installation.
CREATE TABLE suppression (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('address', 'domain')),
    value text COLLATE "C" NOT NULL CHECK (value = lower(value) AND value <> ''),
    list_id bigint REFERENCES list,
    reason text NOT NULL,
    source text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (value, kind, list_id),
    CHECK ((kind = 'address') = (position('@' IN value) > 0))
);

-- ---- campaigns -----------------------------------------------------------------------------------------------------------

-- draft -> scheduled -> running <-> paused -> finished | canceled.  `running` begins when the audience is frozen.
CREATE TYPE campaign_state AS ENUM ('draft', 'scheduled', 'running', 'paused', 'canceled', 'finished');

CREATE TABLE campaign (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295), -- 0: probes, unattributed
    name text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    list_id bigint NOT NULL REFERENCES list,
    state campaign_state NOT NULL DEFAULT 'draft',
    -- the template: frozen once the campaign has started
    subject text NOT NULL,
    from_name text NOT NULL DEFAULT '',
    from_address text NOT NULL,
    reply_to text,
    text_body text NOT NULL,
    html_body text,
    fields text[] NOT NULL DEFAULT '{}', -- the attributes that members had when it started: what the template may name
    -- the schedule: what the person wrote and the instant it means
    local_time timestamp,
    zone text,
    start_at timestamptz,
    -- what happened
    in_doubt text NOT NULL DEFAULT 'resend' CHECK (in_doubt IN ('resend', 'hold')),
    audience bigint CHECK (audience >= 0),
    hold_reason text, -- why it is paused: a person, a breaker
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    ended_at timestamptz,
    CHECK (state <> 'scheduled' OR start_at IS NOT NULL),
    CHECK ((state IN ('running', 'paused', 'finished')) <= (started_at IS NOT NULL AND audience IS NOT NULL)),
    CHECK ((state IN ('finished', 'canceled')) = (ended_at IS NOT NULL)),
    CHECK ((local_time IS NULL) = (zone IS NULL)),
    CHECK ((state = 'paused') = (hold_reason IS NOT NULL))
);
CREATE INDEX campaign_due ON campaign (start_at) WHERE state = 'scheduled';
CREATE INDEX campaign_open ON campaign (id) WHERE state IN ('running', 'paused');

-- A worker is its journal: the id stands in the journal's head, so a restarted process is the same worker.
CREATE TABLE worker (
    id uuid PRIMARY KEY,
    host text NOT NULL,
    journal text NOT NULL,
    pid integer,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- The frozen audience, about 1,000 to a chunk. ids[1..opened] have been opened by some worker; the rest is for whoever
-- holds the lease. Day, key and Date of the copies are fixed by the first claim.
CREATE TABLE campaign_chunk (
    campaign_id bigint NOT NULL REFERENCES campaign,
    chunk_no integer NOT NULL CHECK (chunk_no >= 0),
    subscriber_ids bigint[] NOT NULL CHECK (cardinality(subscriber_ids) > 0),
    opened integer NOT NULL DEFAULT 0 CHECK (opened BETWEEN 0 AND cardinality(subscriber_ids)),
    done boolean NOT NULL DEFAULT false, -- everyone in it has a ledger row or a deferral row
    lease_owner uuid REFERENCES worker,
    lease_until timestamptz,
    key_id smallint CHECK (key_id BETWEEN 0 AND 15),
    day integer CHECK (day BETWEEN 0 AND 65535),
    date_at timestamptz,
    variant smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign_id, chunk_no),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK (opened = 0 OR done OR (key_id IS NOT NULL AND day IS NOT NULL AND date_at IS NOT NULL)), -- done: canceled unclaimed
    CHECK (NOT done OR opened = cardinality(subscriber_ids))
) WITH (fillfactor = 70);
ALTER TABLE campaign_chunk ALTER COLUMN subscriber_ids SET STORAGE EXTERNAL; -- id arrays do not compress; keep updates cheap
CREATE INDEX campaign_chunk_open ON campaign_chunk (campaign_id, chunk_no) WHERE NOT done;

-- What a worker has opened: ids[first..last] of the chunk (1-based, inclusive) belong to its journal until each has a ledger or
-- a deferral row. The row goes when they all have. Without a worker it was given back: nothing in it is under way, and any
-- worker may take it.
CREATE TABLE chunk_window (
    campaign_id bigint NOT NULL,
    chunk_no integer NOT NULL,
    first integer NOT NULL CHECK (first >= 1),
    last integer NOT NULL CHECK (last >= first),
    worker_id uuid REFERENCES worker,
    opened_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, chunk_no, first),
    FOREIGN KEY (campaign_id, chunk_no) REFERENCES campaign_chunk
);
CREATE INDEX chunk_window_by_worker ON chunk_window (worker_id);
CREATE INDEX chunk_window_free ON chunk_window (campaign_id, chunk_no, first) WHERE worker_id IS NULL;

-- ---- what became of each recipient -----------------------------------------------------------------------------------------

CREATE TYPE delivery_outcome AS ENUM ('accepted', 'refused', 'expired', 'skipped');

-- The ledger: exactly one row per recipient, written at its end and never changed.
CREATE TABLE delivery (
    campaign_id bigint NOT NULL,
    subscriber_id bigint NOT NULL,
    outcome delivery_outcome NOT NULL,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    at timestamptz NOT NULL, -- when the last attempt ended (or the skip was decided)
    code smallint CHECK (code BETWEEN 200 AND 599),
    status text,
    reason text, -- a bounce reason when refused or expired; why it was skipped
    reply text,
    PRIMARY KEY (campaign_id, subscriber_id),
    CHECK (outcome NOT IN ('refused', 'expired', 'skipped') OR reason IS NOT NULL),
    CHECK (outcome <> 'accepted' OR code IS NULL OR code BETWEEN 200 AND 299)
) PARTITION BY RANGE (campaign_id);

-- The retry queue and the doubtful. `opened_by` is set while a worker has the recipient in hand.
CREATE TABLE deferral (
    campaign_id bigint NOT NULL REFERENCES campaign,
    subscriber_id bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('deferred', 'in_doubt')),
    attempts integer NOT NULL CHECK (attempts > 0),
    first_attempt_at timestamptz NOT NULL,
    last_attempt_at timestamptz NOT NULL,
    next_attempt_at timestamptz, -- null: held for a person
    opened_by uuid REFERENCES worker,
    key_id smallint NOT NULL CHECK (key_id BETWEEN 0 AND 15),
    day integer NOT NULL CHECK (day BETWEEN 0 AND 65535),
    date_at timestamptz NOT NULL,
    variant smallint NOT NULL DEFAULT 0,
    code smallint,
    status text,
    reply text,
    PRIMARY KEY (campaign_id, subscriber_id),
    CHECK (last_attempt_at >= first_attempt_at),
    CHECK (state = 'in_doubt' OR next_attempt_at IS NOT NULL)
);
CREATE INDEX deferral_due ON deferral (campaign_id, next_attempt_at) WHERE opened_by IS NULL;
CREATE INDEX deferral_by_worker ON deferral (opened_by) WHERE opened_by IS NOT NULL;

-- Every doubt, for good: the final dot was sent and its reply never read.
CREATE TABLE doubt (
    campaign_id bigint NOT NULL,
    subscriber_id bigint NOT NULL,
    attempt integer NOT NULL,
    worker_id uuid,
    connection text NOT NULL,
    at timestamptz NOT NULL,
    decision text CHECK (decision IN ('resend', 'hold', 'settled', 'forgotten')),
    decided_at timestamptz,
    PRIMARY KEY (campaign_id, subscriber_id, attempt),
    CHECK ((decision IS NULL) = (decided_at IS NULL))
);

-- The relay as the workers find it: tripped by a refusal of the session itself, never by a recipient.
CREATE TABLE relay_state (
    relay text PRIMARY KEY,
    tripped boolean NOT NULL,
    reason text,
    since timestamptz NOT NULL,
    retry_at timestamptz,
    CHECK (tripped = (reason IS NOT NULL))
);

-- ---- what came back --------------------------------------------------------------------------------------------------------

CREATE TYPE bounce_kind AS ENUM ('bounce-hard', 'bounce-soft', 'delay', 'complaint', 'auto-reply', 'not-bounce', 'unknown');

-- No foreign keys: a valid token whose campaign or subscriber is gone is kept as an orphan.
CREATE TABLE bounce_event (
    campaign_id bigint NOT NULL CHECK (campaign_id >= 0),
    id bigint NOT NULL,
    subscriber_id bigint NOT NULL,
    report_hash bytea NOT NULL CHECK (octet_length(report_hash) = 32),
    source text NOT NULL CHECK (source IN ('reply', 'report', 'ingest')),
    received_at timestamptz NOT NULL DEFAULT now(),
    kind bounce_kind NOT NULL,
    reason text NOT NULL,
    status text,
    code smallint,
    diagnostic text NOT NULL DEFAULT '',
    recipient text,     -- the address the report names; shown, never trusted
    reporting_mta text,
    rule text,          -- which rule decided
    orphan boolean NOT NULL DEFAULT false,
    voided boolean NOT NULL DEFAULT false, -- an administrator took it out of the count
    judged_at timestamptz, -- null: waits for the ledger row of its attempt
    PRIMARY KEY (campaign_id, id),
    UNIQUE (campaign_id, subscriber_id, report_hash)
) PARTITION BY RANGE (campaign_id);
CREATE SEQUENCE bounce_event_id AS bigint;
CREATE INDEX bounce_event_by_subscriber ON bounce_event (subscriber_id, received_at);
CREATE INDEX bounce_event_unjudged ON bounce_event (campaign_id, id) WHERE judged_at IS NULL;
CREATE INDEX bounce_event_recent ON bounce_event (received_at);

-- The returned message itself, kept for bounce.keep_raw.
CREATE TABLE bounce_raw (
    campaign_id bigint NOT NULL,
    event_id bigint NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    message bytea NOT NULL,
    PRIMARY KEY (campaign_id, event_id)
);
CREATE INDEX bounce_raw_by_age ON bounce_raw (stored_at);

-- Mail for postmaster@ and abuse@, and what a token's owner wrote by hand: kept for a person.
CREATE TABLE mailbox_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(),
    recipient text NOT NULL,
    sender text NOT NULL,
    message_hash bytea NOT NULL UNIQUE CHECK (octet_length(message_hash) = 32), -- of recipient, sender and message
    message bytea NOT NULL
);

-- ---- decisions ---------------------------------------------------------------------------------------------------------------

CREATE TABLE prune_batch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    list_id bigint REFERENCES list, -- null: all lists
    undone_at timestamptz,
    undone_by text,
    CHECK ((undone_at IS NULL) = (undone_by IS NULL))
);

-- What each membership was, so that undo can put it back.
CREATE TABLE prune_change (
    batch_id bigint NOT NULL REFERENCES prune_batch,
    list_id bigint NOT NULL,
    subscriber_id bigint NOT NULL,
    old_state membership_state NOT NULL,
    old_reason text,
    old_since timestamptz NOT NULL,
    old_campaign_id bigint,
    new_state membership_state NOT NULL,
    new_since timestamptz NOT NULL,
    restored boolean NOT NULL DEFAULT false,
    PRIMARY KEY (batch_id, list_id, subscriber_id)
);
CREATE INDEX prune_change_by_subscriber ON prune_change (subscriber_id);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_subject ON audit (subject, id);

-- ---- partitions ----------------------------------------------------------------------------------------------------------------

-- Blocks of 1,024 campaigns: block b holds the ids [1024 b, 1024 (b + 1)). A missing block is built apart and attached, so that
-- attaching takes no lock that sending would feel (SHARE UPDATE EXCLUSIVE on the parent).
CREATE FUNCTION make_campaign_block(block bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
DECLARE
    parent text;
    part text;
BEGIN
    IF block < 0 OR block > 4194303 THEN
        RAISE EXCEPTION 'no such block: %', block;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('verpost.campaign_block', block));
    FOREACH parent IN ARRAY ARRAY['delivery', 'bounce_event'] LOOP
        part := parent || '_' || block;
        CONTINUE WHEN to_regclass('verpost.' || part) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', part, parent);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                       parent, part, block * 1024, (block + 1) * 1024);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION make_campaign_block(bigint) FROM PUBLIC;

CREATE FUNCTION make_block_of_campaign() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
BEGIN
    PERFORM make_campaign_block(NEW.id / 1024);
    RETURN NEW;
END $$;
CREATE TRIGGER campaign_needs_block AFTER INSERT ON campaign
    FOR EACH ROW EXECUTE FUNCTION make_block_of_campaign();

SELECT make_campaign_block(0);

-- ---- append-only ---------------------------------------------------------------------------------------------------------------

-- The ledger is written once. Only the owner's retention (dropping whole blocks) and erase may take rows away.
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER delivery_is_append_only BEFORE UPDATE ON delivery
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- ---- the ledger's sum (guarantee 1) ----------------------------------------------------------------------------------------------

-- Everyone of a campaign's audience and where they are, each named; pending is counted from the id arrays, never by subtraction.
CREATE FUNCTION campaign_ledger(campaign bigint)
RETURNS TABLE (subscriber_id bigint, place text)
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT d.subscriber_id, d.outcome::text FROM delivery d WHERE d.campaign_id = campaign
    UNION ALL
    SELECT f.subscriber_id, f.state FROM deferral f WHERE f.campaign_id = campaign
    UNION ALL
    SELECT a.id, 'pending'
    FROM campaign_chunk c CROSS JOIN LATERAL unnest(c.subscriber_ids) AS a(id)
    WHERE c.campaign_id = campaign AND NOT c.done
      AND NOT EXISTS (SELECT FROM delivery d WHERE d.campaign_id = campaign AND d.subscriber_id = a.id)
      AND NOT EXISTS (SELECT FROM deferral f WHERE f.campaign_id = campaign AND f.subscriber_id = a.id)
$$;

-- ---- suppression, asked in one place -----------------------------------------------------------------------------------------------

CREATE FUNCTION is_suppressed(key text, list bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT EXISTS (SELECT FROM suppression s
                   WHERE ((s.kind = 'address' AND s.value = key)
                       OR (s.kind = 'domain' AND s.value = split_part(key, '@', 2)))
                     AND (s.list_id IS NULL OR s.list_id = list))
$$;

-- ---- what an event is about, asked in one place --------------------------------------------------------------------------------------

-- 'sent': the ledger shows the attempt. 'waits': its row may still come (a fast report overtakes it). 'orphan': nothing of ours.
-- No SET clause: it is inlined into the statement that asks.
CREATE FUNCTION bounce_fate(campaign bigint, person bigint) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM campaign c WHERE c.id = campaign)
          OR NOT EXISTS (SELECT FROM subscriber s WHERE s.id = person) THEN 'orphan'
        WHEN EXISTS (SELECT FROM delivery d WHERE d.campaign_id = campaign AND d.subscriber_id = person) THEN 'sent'
        WHEN EXISTS (SELECT FROM campaign c WHERE c.id = campaign AND c.ended_at IS NULL)
          OR EXISTS (SELECT FROM deferral f WHERE f.campaign_id = campaign AND f.subscriber_id = person)
          OR EXISTS (SELECT FROM chunk_window w WHERE w.campaign_id = campaign) THEN 'waits'
        ELSE 'orphan'
    END
$$;

-- ---- rights -------------------------------------------------------------------------------------------------------------------------

-- The roles are made by `listctl db init` when they are missing: verpost_sender and verpost_bounced log in for the daemons, the
-- owner is whoever ran init and is what listctl uses.
GRANT USAGE ON SCHEMA verpost TO verpost_sender, verpost_bounced;
GRANT SELECT ON instance TO verpost_sender, verpost_bounced;

GRANT SELECT ON list, subscriber, membership, suppression, campaign_chunk, campaign TO verpost_sender, verpost_bounced;

GRANT UPDATE (state, fields, audience, hold_reason, started_at, ended_at) ON campaign TO verpost_sender;
GRANT INSERT, UPDATE ON campaign_chunk TO verpost_sender;
GRANT SELECT, INSERT, UPDATE, DELETE ON worker, chunk_window, deferral, doubt, relay_state TO verpost_sender;
GRANT SELECT, INSERT ON delivery, bounce_event TO verpost_sender;
GRANT UPDATE (judged_at) ON bounce_event TO verpost_sender;
GRANT INSERT ON suppression, audit TO verpost_sender;

GRANT SELECT ON delivery, deferral, chunk_window TO verpost_bounced;
GRANT SELECT, INSERT ON bounce_event TO verpost_bounced;
GRANT UPDATE (judged_at, orphan) ON bounce_event TO verpost_bounced;
GRANT SELECT, INSERT, DELETE ON bounce_raw TO verpost_bounced;
GRANT INSERT ON mailbox_message, suppression, audit TO verpost_bounced;
GRANT SELECT (message_hash, id) ON mailbox_message TO verpost_bounced;

-- Both may judge: the verdict is the membership's.
GRANT UPDATE (state, reason, since, campaign_id) ON membership TO verpost_sender, verpost_bounced;
GRANT UPDATE (id) ON subscriber TO verpost_sender, verpost_bounced; -- for SELECT ... FOR NO KEY UPDATE; the column cannot be set
GRANT USAGE ON SEQUENCE bounce_event_id TO verpost_sender, verpost_bounced;
GRANT EXECUTE ON FUNCTION campaign_ledger(bigint), is_suppressed(text, bigint), bounce_fate(bigint, bigint)
    TO verpost_sender, verpost_bounced;
