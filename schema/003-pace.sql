-- verpost 003: politeness: domain groups, budgets shared by all workers, warm-up, breakers.

-- ---- who receives for whom -------------------------------------------------------------------------------------------------

CREATE TABLE domain_group (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    connections integer CHECK (connections > 0),                          -- messages under way at once, over all workers; null: no limit
    messages_per_second double precision CHECK (messages_per_second > 0), -- over all workers; null: no limit
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Which domains one operator receives for.
CREATE TABLE domain_group_domain (
    domain text COLLATE "C" PRIMARY KEY CHECK (domain = lower(domain) AND domain <> ''),
    group_id bigint NOT NULL REFERENCES domain_group ON DELETE CASCADE
);
CREATE INDEX domain_group_domain_by_group ON domain_group_domain (group_id);

-- The operators of most mailboxes, without limits: what 421 says slows them down. Hosted domains are the administrator's to add.
INSERT INTO domain_group (name)
VALUES ('aol'), ('apple'), ('comcast'), ('fastmail'), ('gmail'), ('gmx'), ('mailru'), ('microsoft'), ('orange'), ('proton'), ('qq'),
    ('telekom'), ('yahoo'), ('yandex');
INSERT INTO domain_group_domain (domain, group_id)
SELECT d.domain, g.id
FROM (VALUES ('aol', '{aol.com,aim.com,aol.de,aol.fr,aol.co.uk,netscape.net}'::text[]),
        ('apple', '{icloud.com,me.com,mac.com}'),
        ('comcast', '{comcast.net}'),
        ('fastmail', '{fastmail.com,fastmail.fm}'),
        ('gmail', '{gmail.com,googlemail.com}'),
        ('gmx', '{gmx.de,gmx.net,gmx.at,gmx.ch,gmx.com,web.de,mail.com}'),
        ('mailru', '{mail.ru,bk.ru,inbox.ru,list.ru,internet.ru}'),
        ('microsoft', '{outlook.com,hotmail.com,live.com,msn.com,hotmail.co.uk,hotmail.fr,hotmail.de,hotmail.it,hotmail.es,live.co.uk,live.fr,live.de,live.nl,outlook.de,outlook.fr,outlook.es,outlook.it,outlook.jp,passport.com,windowslive.com}'),
        ('orange', '{orange.fr,wanadoo.fr}'),
        ('proton', '{proton.me,protonmail.com,protonmail.ch,pm.me}'),
        ('qq', '{qq.com,foxmail.com,vip.qq.com}'),
        ('telekom', '{t-online.de,magenta.de}'),
        ('yahoo', '{yahoo.com,ymail.com,rocketmail.com,myyahoo.com,yahoo.co.uk,yahoo.fr,yahoo.de,yahoo.it,yahoo.es,yahoo.ca,yahoo.com.br,yahoo.com.mx,yahoo.com.ar,yahoo.com.au,yahoo.co.in,yahoo.in,yahoo.co.id,yahoo.ie}'),
        ('yandex', '{yandex.ru,yandex.com,ya.ru,yandex.by,yandex.kz}')) AS v(name, domains)
    JOIN domain_group g ON g.name = v.name
    CROSS JOIN LATERAL unnest(v.domains) AS d(domain);

-- ---- warm-up -----------------------------------------------------------------------------------------------------------------

-- A daily number of messages that grows until nothing holds it any more. Days are those of UTC.
CREATE TABLE warmup (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    relay text COLLATE "C",                                 -- null: whichever relay
    group_id bigint REFERENCES domain_group ON DELETE CASCADE, -- null: whatever the domain
    first bigint NOT NULL CHECK (first BETWEEN 1 AND 1000000000),
    growth double precision NOT NULL CHECK (growth > 1 AND growth <= 10), -- a day's number, times the day's before
    until bigint NOT NULL CHECK (until > first),                      -- the day whose number reaches this has no limit any more
    began_on date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    UNIQUE NULLS NOT DISTINCT (relay, group_id)
);

-- That day's number; null: no limit.
CREATE FUNCTION warmup_number(first bigint, growth double precision, until bigint, began_on date, day date) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN number < until THEN floor(number)::bigint END
    FROM (SELECT first * exp(least(greatest(day - began_on, 0) * ln(growth), 100)) + 0.000001 AS number) AS n
$$;

-- ---- budgets -------------------------------------------------------------------------------------------------------------------

-- What has a limit has a key: 'relay:NAME', 'group:NAME', 'domain:NAME' (only when it has been cut), 'warmup:ID'.
CREATE VIEW budget_limit AS
    SELECT 'group:' || name AS key, messages_per_second AS rate, connections AS slots, NULL::bigint AS of_day
    FROM domain_group WHERE messages_per_second IS NOT NULL OR connections IS NOT NULL
    UNION ALL
    SELECT 'relay:' || name, messages_per_second, connections, NULL
    FROM relay WHERE enabled AND (messages_per_second IS NOT NULL OR connections IS NOT NULL)
    UNION ALL
    SELECT 'warmup:' || w.id, NULL, NULL, n.number
    FROM warmup w
    CROSS JOIN LATERAL warmup_number(w.first, w.growth, w.until, w.began_on, (now() AT TIME ZONE 'UTC')::date) AS n(number)
    WHERE n.number IS NOT NULL;

-- The state of each key: a bucket of tokens, what a destination's refusals have cut, the day's use. No row: untouched.
CREATE TABLE budget (
    key text COLLATE "C" PRIMARY KEY,
    tokens double precision NOT NULL DEFAULT 1,
    filled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    cut_from double precision, -- messages a second when it was cut first
    cut_rate double precision, -- to what it was cut last; it grows from cut_at on
    cut_at timestamptz,
    closed_for interval,      -- everything was refused: the last wait; null once something was accepted
    closed_until timestamptz,
    reason text,              -- the reply that cut or closed it
    day date,
    used bigint NOT NULL DEFAULT 0, -- of that day
    CHECK ((cut_at IS NULL) = (cut_rate IS NULL) AND (cut_at IS NULL) = (cut_from IS NULL)),
    CHECK ((closed_for IS NULL) = (closed_until IS NULL))
) WITH (fillfactor = 50);

-- What each worker has of it. It ends by time; unspent tokens are given back with the worker's next word or lost.
CREATE TABLE budget_lease (
    key text COLLATE "C" NOT NULL,
    worker_id uuid NOT NULL,
    wants bigint NOT NULL,  -- recipients that wait for it there
    slots integer NOT NULL, -- messages that may be under way there (for a relay: connections)
    pace double precision NOT NULL DEFAULT 0, -- messages a second at which it uses its tokens
    granted_at timestamptz NOT NULL, -- when it last got tokens
    until timestamptz NOT NULL,
    holds_until timestamptz NOT NULL, -- of a worker that is silent and lives, what is under way counts until then
    PRIMARY KEY (key, worker_id)
) WITH (fillfactor = 50);

-- A cut grows by a tenth a minute and ends by itself at the limit, or at twice what it was cut from. Null: no limit.
CREATE FUNCTION budget_rate(budget, own_limit double precision, at timestamptz) RETURNS double precision
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN grown < least(own_limit, 2 * ($1).cut_from) THEN grown ELSE own_limit END
    FROM (SELECT ($1).cut_rate
              * exp(least(greatest(extract(epoch FROM at - ($1).cut_at), 0) / 60 * ln(1.1), 100))::double precision AS grown) AS g
$$;

CREATE TYPE budget_grant AS (
    key text,
    tokens bigint,         -- messages that may be begun; null: no limit
    slots integer,         -- messages that may be under way; null: no limit
    rate double precision, -- what may be hoped for, messages a second; null: not known
    pace double precision, -- messages a second at which the tokens may be used; null: at once
    opens_at timestamptz   -- before this nothing is granted; null: now
);

-- A worker's word, once a second: for each key how many recipients wait, how many messages are under way, and how many of the tokens it
-- had are unspent. What it had before is void. Shares are fair among the workers that want something: each gets its part, and what
-- the others leave. The tokens of a rate are used one after the other, at a pace; those of all workers never add up to more than the
-- rate: who comes anew waits until the others have asked again. A second's worth of tokens gathers, since each asks once a second, a
-- quarter for one that asks late, and one for rates below that. A worker that asks no more has no part after ten seconds; but it may
-- only stand still, with its connections open: they count for `holds`, unless it has stopped, was started anew or is forgotten. One
-- lock at a time is waited for, in the order of the keys.
CREATE FUNCTION budget_turn(worker uuid, keys text[], waiting bigint[], under_way bigint[], unspent bigint[], holds interval)
RETURNS SETOF budget_grant
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
DECLARE
    ask record;
    own budget_limit;
    mine budget_lease;
    others record;
    state budget;
    rate double precision;
    part double precision;
    taken double precision; -- by the others
    at timestamptz;
    today date;
    target bigint;
    answer budget_grant;
BEGIN
    FOR ask IN SELECT * FROM unnest(keys, waiting, under_way, unspent) AS a(key, wants, hands, back) ORDER BY a.key COLLATE "C" LOOP
        INSERT INTO budget (key) VALUES (ask.key) ON CONFLICT DO NOTHING;
        SELECT * INTO state FROM budget b WHERE b.key = ask.key FOR UPDATE;
        SELECT * INTO own FROM budget_limit l WHERE l.key = ask.key;
        at := greatest(clock_timestamp(), state.filled_at);
        today := (at AT TIME ZONE 'UTC')::date;
        DELETE FROM budget_lease l WHERE l.key = ask.key AND l.until <= at AND (l.holds_until <= at OR NOT EXISTS (
            SELECT FROM worker w WHERE w.id = l.worker_id AND w.pid IS NOT NULL AND w.started_at <= l.until - interval '10 s'));
        -- Who is silent wants nothing any more.
        UPDATE budget_lease l SET wants = 0, pace = 0 WHERE l.key = ask.key AND l.until <= at AND l.wants > 0;
        SELECT * INTO mine FROM budget_lease l WHERE l.key = ask.key AND l.worker_id = worker;
        SELECT 1 + count(*) FILTER (WHERE l.wants > 0) AS workers, coalesce(sum(l.slots), 0) AS slots,
            min(l.granted_at) FILTER (WHERE l.wants > 0) AS granted_at,
            coalesce(sum(l.pace) FILTER (WHERE l.until > at + interval '8 s'), 0) AS pace -- tokens live for two seconds
        INTO others FROM budget_lease l WHERE l.key = ask.key AND l.worker_id <> worker;
        rate := budget_rate(state, own.rate, at);
        answer := ROW(ask.key, NULL, NULL, NULL, NULL, NULL);

        IF state.closed_for IS NOT NULL THEN -- until something is accepted, now and then one tries
            rate := least(rate, 0.2);
        END IF;
        IF rate IS NOT NULL THEN
            part := rate / others.workers;
            taken := coalesce((SELECT sum(least(l.wants, part)) FROM budget_lease l
                WHERE l.key = ask.key AND l.worker_id <> worker), 0);
            state.tokens := least(1 + 1.25 * rate, state.tokens + ask.back + rate * extract(epoch FROM at - state.filled_at));
            answer.rate := greatest(part, rate - taken);
            answer.pace := greatest(0, least(answer.rate, rate - others.pace));
            IF answer.pace < least(part, ask.wants) / 4 THEN
                answer.pace := 0;
            END IF;
            answer.tokens := CASE WHEN answer.pace = 0 THEN 0
                ELSE floor(least(ask.wants, greatest(least(state.tokens, part), state.tokens - taken))) END;
            -- Less than one a worker: they take turns.
            IF answer.tokens < 1 AND ask.wants > 0 AND state.tokens >= 1 AND answer.pace > 0
                AND coalesce(mine.granted_at, at) <= coalesce(others.granted_at, at) THEN
                answer.tokens := 1;
            END IF;
            IF state.closed_until > at THEN
                answer.tokens := 0;
                answer.opens_at := state.closed_until;
            END IF;
            state.tokens := state.tokens - answer.tokens;
        END IF;

        IF own.of_day IS NOT NULL THEN
            IF state.day IS DISTINCT FROM today THEN
                state.day := today;
                state.used := 0;
            ELSE
                state.used := greatest(0, state.used - ask.back);
            END IF;
            answer.tokens := least(ask.wants,
                ceil(greatest(own.of_day - state.used, 0) / others.workers::double precision))::bigint;
            state.used := state.used + answer.tokens;
            IF state.used >= own.of_day THEN
                answer.opens_at := CASE WHEN answer.tokens = 0 THEN (today + 1)::timestamp AT TIME ZONE 'UTC' END;
            END IF;
        END IF;

        target := 0;
        IF own.slots IS NOT NULL THEN
            part := greatest(1, own.slots / others.workers);
            target := least(ask.wants + ask.hands, greatest(part, own.slots - coalesce((SELECT sum(least(l.wants + l.slots, part))
                FROM budget_lease l WHERE l.key = ask.key AND l.worker_id <> worker), 0)));
            answer.slots := greatest(0, least(target, own.slots - others.slots));
            -- What is under way is counted until it has ended.
            target := greatest(ask.hands, answer.slots);
        END IF;

        UPDATE budget b SET tokens = state.tokens, filled_at = at, day = state.day, used = state.used WHERE b.key = ask.key;
        IF ask.wants = 0 AND ask.hands = 0 THEN
            DELETE FROM budget_lease l WHERE l.key = ask.key AND l.worker_id = worker;
        ELSE
            INSERT INTO budget_lease AS l (key, worker_id, wants, slots, pace, granted_at, until, holds_until)
            VALUES (ask.key, worker, ask.wants, target, coalesce(least(answer.pace, answer.tokens), 0), at, at + interval '10 s',
                at + holds)
            ON CONFLICT (key, worker_id) DO UPDATE SET wants = excluded.wants, slots = excluded.slots, pace = excluded.pace,
                until = excluded.until, holds_until = excluded.holds_until,
                granted_at = CASE WHEN answer.tokens > 0 THEN excluded.granted_at ELSE l.granted_at END;
        END IF;
        RETURN NEXT answer;
    END LOOP;
END $$;

-- A destination refuses for now: its rate (or what the worker measured, where it has none) is halved, once in ten seconds at most. With
-- `all_refused` it is closed as well: for a minute, then twice as long each time, up to half an hour.
CREATE FUNCTION budget_cut(destination text, measured double precision, all_refused boolean, why text) RETURNS boolean
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
DECLARE
    state budget;
    own_limit double precision;
    rate double precision;
    at timestamptz;
    is_new boolean := false;
BEGIN
    INSERT INTO budget (key) VALUES (destination) ON CONFLICT DO NOTHING;
    SELECT * INTO state FROM budget b WHERE b.key = destination FOR UPDATE;
    at := clock_timestamp();
    SELECT l.rate INTO own_limit FROM budget_limit l WHERE l.key = destination;
    IF state.cut_at IS NULL OR state.cut_at <= at - interval '10 s' THEN
        rate := budget_rate(state, own_limit, at);
        -- A cut that has ended begins anew.
        IF state.cut_at IS NULL OR rate IS NOT DISTINCT FROM own_limit THEN
            state.cut_from := least(own_limit, greatest(2, measured));
            rate := state.cut_from;
        END IF;
        state.cut_rate := greatest(1 / 60.0, rate / 2);
        state.cut_at := at;
        is_new := true;
    END IF;
    IF all_refused AND (state.closed_until IS NULL OR state.closed_until <= at) THEN
        state.closed_for := least(coalesce(2 * state.closed_for, interval '1 min'), interval '30 min');
        state.closed_until := at + state.closed_for;
        is_new := true;
    END IF;
    IF is_new THEN
        UPDATE budget b SET cut_from = state.cut_from, cut_rate = state.cut_rate, cut_at = state.cut_at,
            closed_for = state.closed_for, closed_until = state.closed_until, reason = why, tokens = least(b.tokens, 1)
        WHERE b.key = destination;
    END IF;
    RETURN is_new;
END $$;

-- ---- breakers --------------------------------------------------------------------------------------------------------------------

-- What became of a campaign's messages, a row a minute and source: a worker, or a connection that stores reports; so no two wait for each
-- other. group_name is empty for domains in no group. What a report tells became of a message that is counted as accepted already.
CREATE TABLE campaign_tally (
    campaign_id bigint NOT NULL,
    group_name text COLLATE "C" NOT NULL,
    minute timestamptz NOT NULL,
    source text COLLATE "C" NOT NULL,
    is_report boolean NOT NULL DEFAULT false,
    accepted bigint NOT NULL DEFAULT 0,
    hard bigint NOT NULL DEFAULT 0,   -- refused or returned for good, for the address's own reasons
    policy bigint NOT NULL DEFAULT 0, -- refused or returned because of us
    soft bigint NOT NULL DEFAULT 0,   -- put off, or given up for other reasons
    complaints bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign_id, group_name, minute, source)
) WITH (fillfactor = 50);
CREATE INDEX campaign_tally_by_age ON campaign_tally (minute);

-- Forgets tallies from before then, of one campaign (null: of all) and one group (null: of all). How many were accepted is kept, in one
-- row before all time, while the campaign may go on: later reports are about those.
CREATE FUNCTION campaign_tally_forget(campaign bigint, of_group text, before timestamptz) RETURNS void
LANGUAGE sql SET search_path = verpost, pg_temp AS $$
    WITH gone AS (
        DELETE FROM campaign_tally t
        WHERE (campaign IS NULL OR t.campaign_id = campaign) AND (of_group IS NULL OR t.group_name = of_group) AND t.minute < before
            AND (t.minute > '-infinity'
                OR NOT EXISTS (SELECT FROM campaign c WHERE c.id = t.campaign_id AND c.state IN ('running', 'paused')))
        RETURNING t.campaign_id, t.group_name, t.accepted)
    INSERT INTO campaign_tally AS t (campaign_id, group_name, minute, source, accepted)
    SELECT g.campaign_id, g.group_name, '-infinity', '', sum(g.accepted)
    FROM gone g JOIN campaign c ON c.id = g.campaign_id AND c.state IN ('running', 'paused')
    GROUP BY 1, 2
    HAVING sum(g.accepted) > 0
    ON CONFLICT (campaign_id, group_name, minute, source) DO UPDATE SET accepted = t.accepted + excluded.accepted
$$;

-- A group of domains to which a campaign does not send until a person says so.
CREATE TABLE campaign_group_hold (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    group_name text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    held_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, group_name)
);

-- ---- the parked ------------------------------------------------------------------------------------------------------------------

-- Whose destination is full, closed or held waits in the retry queue with the attempts it had, perhaps none. waits_for says for what:
-- a budget's key, or 'hold:GROUP' without a time.
ALTER TABLE deferral ADD COLUMN waits_for text;
ALTER TABLE deferral ALTER COLUMN first_attempt_at DROP NOT NULL, ALTER COLUMN last_attempt_at DROP NOT NULL;
ALTER TABLE deferral DROP CONSTRAINT deferral_attempts_check, DROP CONSTRAINT deferral_check, DROP CONSTRAINT deferral_check1,
    ADD CHECK (attempts >= 0),
    ADD CHECK (last_attempt_at >= first_attempt_at),
    ADD CHECK (attempts > 0 OR (state = 'deferred' AND first_attempt_at IS NULL AND last_attempt_at IS NULL)),
    ADD CHECK (state = 'in_doubt' OR next_attempt_at IS NOT NULL OR waits_for IS NOT NULL);
CREATE INDEX deferral_parked ON deferral (waits_for, campaign_id) WHERE waits_for IS NOT NULL;

-- ---- who hears of it ---------------------------------------------------------------------------------------------------------------

CREATE TRIGGER domain_group_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON domain_group
    FOR EACH STATEMENT EXECUTE FUNCTION raise_sending_version();
CREATE TRIGGER domain_group_domain_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON domain_group_domain
    FOR EACH STATEMENT EXECUTE FUNCTION raise_sending_version();
CREATE TRIGGER warmup_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON warmup
    FOR EACH STATEMENT EXECUTE FUNCTION raise_sending_version();
CREATE TRIGGER campaign_group_hold_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON campaign_group_hold
    FOR EACH STATEMENT EXECUTE FUNCTION raise_sending_version();
CREATE TRIGGER budget_changes AFTER UPDATE OF cut_at, closed_until ON budget
    FOR EACH STATEMENT EXECUTE FUNCTION raise_sending_version();

-- ---- rights ----------------------------------------------------------------------------------------------------------------------

GRANT SELECT ON domain_group, domain_group_domain, warmup, budget_limit TO verpost_sender;
GRANT SELECT, INSERT, UPDATE, DELETE ON budget, budget_lease, campaign_tally, campaign_group_hold TO verpost_sender;
GRANT SELECT ON domain_group, domain_group_domain TO verpost_bounced;
GRANT SELECT, INSERT, UPDATE ON campaign_tally TO verpost_bounced;
