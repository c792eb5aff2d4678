-- verpost 057: probes. Before repeated failures disable a member, one letter asks whether the address still receives.
--
-- Only lists that have a row in list_probe send any; programs of the release before disable without, and send to who waits.

-- days: nothing has come back within so many, and the count begins anew. a_day: so many letters within 24 hours; the others wait.
CREATE TABLE list_probe (
    list_id bigint PRIMARY KEY REFERENCES list,
    days integer NOT NULL CHECK (days BETWEEN 1 AND 90),
    a_day integer NOT NULL CHECK (a_day BETWEEN 1 AND 1000000)
);

-- A list's own words; without a row those of lib/mail/probe_text.
CREATE TABLE probe_text (
    list_id bigint PRIMARY KEY REFERENCES list,
    subject text NOT NULL CHECK (subject <> ''),
    body text NOT NULL CHECK (body <> '')
);

-- One letter to one address. Its tokens are of campaign 0 and this id, which no return-path test has. Who sends it and who gets a report about it
-- know nothing of each other and may come in any order, so each writes columns of its own; the state follows from them and the time. A row stays as long as its
-- person: the verdict is computed from it.
CREATE TABLE probe_letter (
    id bigint PRIMARY KEY DEFAULT nextval('relay_test_id_seq') CHECK (id BETWEEN 1 AND 1099511627775),
    list_id bigint NOT NULL REFERENCES list,           -- in whose name it goes
    subscriber_id bigint NOT NULL REFERENCES subscriber ON DELETE CASCADE,
    reason text NOT NULL,                              -- that would disable
    campaign_id bigint,                                -- whose report brought that about
    days integer NOT NULL,                             -- of list_probe when it was asked for
    asked_at timestamptz NOT NULL DEFAULT now(),
    held_until timestamptz NOT NULL DEFAULT 'infinity', -- until then campaigns pass over its person
    -- sender's word. Taken is before the relay has an octet of it: nobody takes it again, but who is certain that the relay has not got it gives it back
    try_at timestamptz NOT NULL DEFAULT now(),         -- not before
    tries integer NOT NULL DEFAULT 0,
    taken_at timestamptz,
    taken_by text,                                     -- its host
    relay text,                                        -- the last one; null: none fits
    answered_at timestamptz,
    accepted boolean,                                  -- null with an answer: its end was sent and no reply was read
    step text,
    code smallint CHECK (code BETWEEN 200 AND 599),
    reply text,                                        -- also of a try that is to be repeated
    -- bounced's word, or a refusal that sender heard
    reported_at timestamptz,
    report_kind bounce_kind,
    report_reason text,
    decides boolean,                                   -- false: it is about us
    diagnostic text,
    reporting_mta text,
    message bytea,                                     -- the report, for bounce.keep_raw
    void_reason text,                                  -- it decides nothing: left, suppressed, moved, off, expired, or a bounce reason that is about us
    CHECK ((taken_at IS NULL) = (taken_by IS NULL)),
    CHECK (taken_at IS NOT NULL OR answered_at IS NULL),
    CHECK (answered_at IS NOT NULL OR accepted IS NULL),
    CHECK ((reported_at IS NULL) = (report_kind IS NULL) AND (reported_at IS NULL) = (report_reason IS NULL)
       AND (reported_at IS NULL) = (decides IS NULL)),
    CHECK (reported_at IS NULL OR tries > 0)           -- about what was never handed over nobody can report
);
CREATE INDEX probe_letter_by_subscriber ON probe_letter (subscriber_id);
CREATE INDEX probe_letter_held ON probe_letter (held_until);
CREATE INDEX probe_letter_due ON probe_letter (list_id, asked_at) WHERE taken_at IS NULL AND void_reason IS NULL;
CREATE INDEX probe_letter_taken ON probe_letter (list_id, taken_at);
CREATE INDEX probe_letter_message ON probe_letter (reported_at) WHERE message IS NOT NULL;

-- due: asked for. sending: a sender has it. sent: the relay took it. doubtful: a sender has begun with it, and what became of it is not known;
-- it may still bounce. silent: nothing has come back in its days. bounced: it came back. void: it decides nothing.
CREATE VIEW probe_letter_state AS
    SELECT p.*, CASE
        WHEN p.decides THEN 'bounced'
        WHEN p.void_reason IS NOT NULL THEN 'void'
        WHEN p.taken_at IS NULL THEN 'due'
        WHEN p.held_until > now() AND p.accepted THEN 'sent'
        WHEN p.held_until > now() AND p.answered_at IS NULL AND p.taken_at > now() - interval '1 hour' THEN 'sending'
        WHEN p.held_until > now() THEN 'doubtful'
        WHEN p.accepted THEN 'silent'
        ELSE 'void'
    END AS state, s.address_since > p.asked_at IS TRUE AS is_of_former_address
    FROM probe_letter p JOIN subscriber s ON s.id = p.subscriber_id;

-- Whom campaigns pass over, list by list: those whose lists send probes.
CREATE VIEW probe_hold AS
    SELECT l.list_id, p.subscriber_id FROM list_probe l CROSS JOIN probe_letter p JOIN subscriber s ON s.id = p.subscriber_id
    WHERE p.held_until > now() AND s.address_since > p.asked_at IS NOT TRUE;

-- The relay for a list's mail to a domain: as for campaigns (sender/routes.h), but for those that are for named campaigns. Null: none fits.
CREATE FUNCTION relay_of_list(list_name text, of_domain text) RETURNS text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    WITH used AS (
        SELECT r.*, r.domains || ARRAY(SELECT d.domain FROM domain_group g JOIN domain_group_domain d ON d.group_id = g.id
                                       WHERE '@' || g.name = ANY (r.domains)) AS all_domains
        FROM relay r WHERE r.enabled)
    SELECT name FROM (
        SELECT name, CASE WHEN domains <> '{}' THEN 3 WHEN lists <> '{}' THEN 1 ELSE 0 END AS rank, weight FROM used
        WHERE campaigns = '{}' AND name_fits(lists, list_name)
          AND (domains = '{}' OR EXISTS (SELECT FROM unnest(all_domains) AS d WHERE d = of_domain
                                         OR (d LIKE '.%' AND right(of_domain, length(d)) = d)))
        UNION ALL SELECT 'default', 0, 0 WHERE NOT EXISTS (SELECT FROM relay WHERE enabled)) AS f
    ORDER BY rank DESC, weight DESC, name LIMIT 1
$$;

-- Takes letters that are due, within each list's budget: those of a list one sender after the other. What must not be sent any more is void instead.
CREATE FUNCTION take_probe_letters(host text, places bigint) RETURNS TABLE (taken bigint, through text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
DECLARE
    l record;
    p record;
    room bigint;
BEGIN
    FOR l IN SELECT b.list_id, b.a_day, i.name FROM list_probe b JOIN list i ON i.id = b.list_id
             WHERE EXISTS (SELECT FROM probe_letter d WHERE d.list_id = b.list_id AND d.taken_at IS NULL AND d.void_reason IS NULL AND d.try_at <= now())
             ORDER BY b.list_id FOR UPDATE OF b SKIP LOCKED LOOP
        room := l.a_day - (SELECT count(*) FROM probe_letter t WHERE t.list_id = l.list_id AND t.taken_at > now() - interval '24 hours');
        FOR p IN SELECT d.id, d.days, CASE
                     WHEN m.state IS DISTINCT FROM 'active' THEN 'left'
                     WHEN s.address_since > d.asked_at THEN 'moved'
                     WHEN is_suppressed(s.address_key, d.list_id) THEN 'suppressed'
                     WHEN d.tries > 0 AND d.asked_at < now() - interval '5 days' THEN 'expired' END AS obstacle,
                     split_part(s.address_key, '@', 2) AS domain
                 FROM probe_letter d JOIN subscriber s ON s.id = d.subscriber_id
                 LEFT JOIN membership m ON m.list_id = d.list_id AND m.subscriber_id = d.subscriber_id
                 WHERE d.list_id = l.list_id AND d.taken_at IS NULL AND d.void_reason IS NULL AND d.try_at <= now()
                 ORDER BY d.asked_at, d.id LIMIT 100 FOR UPDATE OF d SKIP LOCKED LOOP
            IF p.obstacle IS NOT NULL THEN
                UPDATE probe_letter SET void_reason = p.obstacle, held_until = now() WHERE id = p.id;
            ELSIF room > 0 AND places > 0 THEN
                taken := p.id;
                through := relay_of_list(l.name, p.domain);
                UPDATE probe_letter SET taken_at = now(), taken_by = host, tries = tries + 1, step = NULL, code = NULL, reply = NULL,
                    relay = through, held_until = now() + p.days * interval '1 day' WHERE id = p.id;
                room := room - 1;
                places := places - 1;
                RETURN NEXT;
            END IF;
        END LOOP;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION take_probe_letters(text, bigint), relay_of_list(text, text) FROM PUBLIC;

INSERT INTO erasable (deed, place, said) SELECT deed, place, unnest(string_to_array(columns, ' ')) FROM (VALUES
    ('named', 'probe_text', 'subject body'),
    ('blanked', 'probe_letter', 'reply diagnostic reporting_mta message'),
    ('never', 'probe_letter', 'reason taken_by relay step report_reason void_reason')
) AS v(deed, place, columns);

GRANT SELECT ON list_probe, probe_letter, probe_letter_state, probe_hold TO verpost_sender, verpost_bounced;
GRANT SELECT ON probe_text TO verpost_sender;
GRANT INSERT ON probe_letter TO verpost_sender, verpost_bounced;
GRANT USAGE ON SEQUENCE relay_test_id_seq TO verpost_sender, verpost_bounced;
GRANT UPDATE (held_until, try_at, tries, taken_at, taken_by, answered_at, accepted, step, code, reply, reported_at, report_kind, report_reason, decides,
    diagnostic, reporting_mta, message, void_reason) ON probe_letter TO verpost_sender;
GRANT UPDATE (held_until, reported_at, report_kind, report_reason, decides, diagnostic, reporting_mta, message, void_reason) ON probe_letter TO verpost_bounced;
GRANT EXECUTE ON FUNCTION take_probe_letters(text, bigint) TO verpost_sender;
