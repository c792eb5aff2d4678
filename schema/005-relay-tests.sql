-- verpost 005: the return-path self-test of relays.

-- One test: a small message through one relay, from and to the return path of (campaign 0, this id). Who sends it and who gets it
-- back know nothing of each other and may come in any order, so each writes columns of its own; the state follows from them.
CREATE TABLE relay_test (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id BETWEEN 1 AND 1099511627775), -- stands for the subscriber in tokens of campaign 0
    relay text COLLATE "C" NOT NULL CHECK (relay <> ''), -- its name
    campaign_id bigint,           -- asked for before this campaign starts; null: by a person
    from_address text,            -- for its From line; null: the return path
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    due_by timestamptz NOT NULL,  -- back later than this is late, and nobody begins it any more
    -- sender's word
    taken_at timestamptz,
    taken_by text,                -- its host
    sent_seal text,               -- what must survive of the message (lib/mail/seal), written before it is handed over
    answered_at timestamptz,      -- the relay has answered, or could not be asked
    accepted boolean,             -- null with an answer: its end was sent and no reply was read
    step text,                    -- where it was refused: connect, ehlo, mail, rcpt, final-dot ...
    code smallint CHECK (code BETWEEN 200 AND 599),
    reply text,
    -- bounced's word about the message itself
    back_at timestamptz,
    mail_from text,               -- as bounced heard it; empty: the null sender
    path_kept boolean,            -- it is the return path that was sent
    message_kept boolean,         -- the Message-ID is the one that was sent
    back_seal text,               -- what sent_seal has become
    -- and about a report on it
    reported_at timestamptz,
    report_kind bounce_kind,
    diagnostic text,
    CHECK (due_by > asked_at),
    CHECK ((taken_at IS NULL) = (taken_by IS NULL)),
    CHECK (taken_at IS NOT NULL OR sent_seal IS NULL),
    CHECK (answered_at IS NOT NULL OR (accepted IS NULL AND step IS NULL AND code IS NULL AND reply IS NULL)),
    CHECK ((back_at IS NULL) = (mail_from IS NULL) AND (back_at IS NULL) = (path_kept IS NULL)
       AND (back_at IS NULL) = (message_kept IS NULL) AND (back_at IS NULL) = (back_seal IS NULL)),
    CHECK (back_at IS NULL OR sent_seal IS NOT NULL), -- what was never handed over cannot come back
    CHECK ((reported_at IS NULL) = (report_kind IS NULL) AND (reported_at IS NULL) = (diagnostic IS NULL))
);
CREATE INDEX relay_test_waiting ON relay_test (id) WHERE taken_at IS NULL;
CREATE INDEX relay_test_by_relay ON relay_test (relay, id);
CREATE INDEX relay_test_by_campaign ON relay_test (campaign_id, relay) WHERE campaign_id IS NOT NULL;

-- Of two seals, words NAME=DIGEST, what differs: "Subject, Reply-To (added), body"; empty when they are alike, null when one is.
CREATE FUNCTION relay_test_changes(sent text, back text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT coalesce(string_agg(name || CASE WHEN s.digest IS NULL THEN ' (added)' WHEN b.digest IS NULL THEN ' (removed)' ELSE '' END,
                               ', ' ORDER BY coalesce(s.at, b.at), name), '')
    FROM (SELECT split_part(w, '=', 1) AS name, split_part(w, '=', 2) AS digest, at
          FROM unnest(string_to_array(sent, ' ')) WITH ORDINALITY AS u(w, at)) AS s
    FULL JOIN (SELECT split_part(w, '=', 1) AS name, split_part(w, '=', 2) AS digest, at
          FROM unnest(string_to_array(back, ' ')) WITH ORDINALITY AS u(w, at)) AS b USING (name)
    WHERE s.digest IS DISTINCT FROM b.digest
$$;

-- back: with its verdict. bounced: a report says that it cannot come. refused: by the relay, or the relay was not reached.
-- late: not back in time; should it come after all, it is back. sent, taken, asked: it is on its way.
CREATE VIEW relay_test_state AS
    SELECT t.*, CASE
        WHEN back_at IS NOT NULL THEN 'back'
        WHEN report_kind IN ('bounce-hard', 'bounce-soft', 'unknown') THEN 'bounced'
        WHEN answered_at IS NOT NULL AND NOT accepted THEN 'refused'
        WHEN due_by <= now() THEN 'late'
        WHEN answered_at IS NOT NULL THEN 'sent'
        WHEN taken_at IS NOT NULL THEN 'taken'
        ELSE 'asked'
    END AS state, relay_test_changes(sent_seal, back_seal) AS changed
    FROM relay_test t;

-- What is known of each relay: its newest test that has come to an end.
CREATE VIEW relay_path AS
    SELECT DISTINCT ON (relay) * FROM relay_test_state
    WHERE state IN ('back', 'bounced', 'refused') OR (state = 'late' AND taken_at IS NOT NULL) ORDER BY relay, id DESC;

-- Names, with * for any run of characters; none: every name.
CREATE FUNCTION name_fits(patterns text[], name text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT patterns = '{}' OR EXISTS (SELECT FROM unnest(patterns) AS p
        WHERE name LIKE replace(replace(replace(replace(p, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'))
$$;

-- The relays that a campaign's mail may take: those whose campaigns and lists it fits, of these the most specific, and all that are
-- for some domains; without any row the one of the settings, by the name "default".
CREATE FUNCTION relays_of_campaign(campaign bigint) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    WITH fits AS (
        SELECT r.name, r.domains <> '{}' AS by_domain,
               CASE WHEN r.campaigns <> '{}' THEN 2 WHEN r.lists <> '{}' THEN 1 ELSE 0 END AS rank
        FROM campaign c JOIN list l ON l.id = c.list_id
        JOIN relay r ON r.enabled AND name_fits(r.campaigns, c.name) AND name_fits(r.lists, l.name)
        WHERE c.id = campaign)
    SELECT name FROM fits WHERE by_domain OR rank = (SELECT max(rank) FROM fits WHERE NOT by_domain)
    UNION ALL
    SELECT 'default' WHERE NOT EXISTS (SELECT FROM relay WHERE enabled)
$$;

-- The start_at whose relays were tested, or need no test: what was scheduled anew is tested anew.
ALTER TABLE campaign ADD COLUMN tested_for timestamptz;

GRANT SELECT, INSERT, DELETE ON relay_test TO verpost_sender; -- its coordinator deletes old ones
GRANT UPDATE (taken_at, taken_by, sent_seal, answered_at, accepted, step, code, reply) ON relay_test TO verpost_sender;
GRANT UPDATE (tested_for) ON campaign TO verpost_sender;
GRANT SELECT ON relay_test TO verpost_bounced;
GRANT UPDATE (back_at, mail_from, path_kept, message_kept, back_seal, reported_at, report_kind, diagnostic) ON relay_test TO verpost_bounced;
GRANT SELECT ON relay_test_state, relay_path TO verpost_sender;
GRANT EXECUTE ON FUNCTION relays_of_campaign(bigint), name_fits(text[], text), relay_test_changes(text, text) TO verpost_sender;
