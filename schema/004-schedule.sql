-- verpost 004: schedules: not after, sending windows, each recipient's local time, expiry of retries; what a pause waits for.

-- Minutes of the week, from Monday 00:00 by the clocks of the campaign's zone: [600, 1080) is Monday 10:00 to 18:00.
ALTER TABLE campaign
    ADD COLUMN not_after timestamptz,         -- later than this it does not start by itself: it waits for a person (hold_reason)
    ADD COLUMN windows int4multirange,        -- when it may be sent; null: at any time
    ADD COLUMN window_text text,              -- the same as a person wrote it
    ADD COLUMN local_attribute text,          -- each recipient at local_time in the zone that this attribute names
    ADD COLUMN local_fallback bigint CHECK (local_fallback >= 0), -- of the frozen audience: whose attribute named no zone; they follow `zone`
    ADD COLUMN expire interval CHECK (expire > interval '0'),     -- retries end so long after the first attempt; null: sender.expire
    -- What a copy takes from its list, frozen when it starts; null before that, and where an older program has started it.
    ADD COLUMN list_name text,
    ADD COLUMN list_title text,
    ADD COLUMN list_header_id text,           -- list.list_id
    ADD CHECK ((windows IS NULL) = (window_text IS NULL)),
    ADD CHECK (windows IS NULL OR (NOT isempty(windows) AND windows <@ '{[0,10080)}'::int4multirange)),
    ADD CHECK (windows IS NULL OR local_attribute IS NULL),
    ADD CHECK (local_attribute <> ''),
    ADD CHECK (not_after > start_at);

-- A scheduled campaign that waits for a person has a reason, too; and a zone is there for windows without a local time.
ALTER TABLE campaign
    DROP CONSTRAINT campaign_check4,
    ADD CONSTRAINT campaign_held CHECK ((state = 'paused') <= (hold_reason IS NOT NULL)),
    DROP CONSTRAINT campaign_check3,
    ADD CHECK (zone IS NOT NULL OR (local_time IS NULL AND windows IS NULL AND local_attribute IS NULL));

GRANT UPDATE (local_fallback, list_name, list_title, list_header_id) ON campaign TO verpost_sender;

UPDATE campaign c SET list_name = l.name, list_title = l.title, list_header_id = l.list_id
    FROM list l WHERE l.id = c.list_id AND c.started_at IS NOT NULL;

-- The instant from which its recipients may be sent to; null: from the start.
ALTER TABLE campaign_chunk ADD COLUMN not_before timestamptz;

-- The IANA names among what the server calls time zones: not its own (localtime), its data's other spellings (posix/, right/), nor what is
-- no place at all.
CREATE VIEW zone_name AS
    SELECT name FROM pg_timezone_names
    WHERE name !~ '^(posix|right)/' AND lower(name) NOT IN ('localtime', 'posixrules', 'factory');
GRANT SELECT ON zone_name TO verpost_sender;

CREATE FUNCTION is_in_window(windows int4multirange, zone text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT windows IS NULL
        OR windows @> ((extract(isodow FROM at AT TIME ZONE zone) - 1) * 1440 + extract(hour FROM at AT TIME ZONE zone) * 60
            + extract(minute FROM at AT TIME ZONE zone))::integer
$$;

-- The first instant from `at` on that lies in a window, as far as the zone's clocks are set forward or back as known now; null: none
-- within three weeks.
CREATE FUNCTION next_opening(windows int4multirange, zone text, at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT CASE WHEN is_in_window(windows, zone, at) THEN at ELSE (
        SELECT min(opens) FROM unnest(windows) AS r(minutes) CROSS JOIN generate_series(0, 21, 7) AS d(days)
        CROSS JOIN LATERAL (SELECT (date_trunc('week', at AT TIME ZONE zone) + make_interval(days => d.days)
            + make_interval(mins => lower(r.minutes))) AT TIME ZONE zone) AS o(opens)
        WHERE opens > at AND is_in_window(windows, zone, opens)) END
$$;
GRANT EXECUTE ON FUNCTION is_in_window(int4multirange, text, timestamptz), next_opening(int4multirange, text, timestamptz)
    TO verpost_sender;

-- How many messages a worker still has under way of a campaign that it is leaving: told by the worker, gone when it has left.
CREATE TABLE campaign_leaving (
    campaign_id bigint NOT NULL REFERENCES campaign,
    worker_id uuid NOT NULL REFERENCES worker ON DELETE CASCADE,
    messages integer NOT NULL CHECK (messages >= 0),
    PRIMARY KEY (campaign_id, worker_id)
);
CREATE INDEX campaign_leaving_by_worker ON campaign_leaving (worker_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON campaign_leaving TO verpost_sender;
