-- verpost 008: logins at relays: a refused one is not tried again and again.

-- When a person said that it is to be tried at once: workers that read another time begin with the relay anew.
ALTER TABLE relay ADD COLUMN retried_at timestamptz;

-- What was tried at a relay, and what became of it. The fingerprint is of the relay's row and of the file that its secret is in, never of the
-- secret; on each host it is another one.
CREATE TABLE relay_login (
    relay text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    taken_at timestamptz,   -- the relay took it first
    refused_at timestamptz, -- ... refused it last, and not since taken it
    reply text,
    tried_by text,          -- who has it under way
    tried_at timestamptz,
    PRIMARY KEY (relay, fingerprint),
    CHECK ((refused_at IS NULL) = (reply IS NULL) AND (tried_by IS NULL) = (tried_at IS NULL))
);

-- What a person changes may be tried at once.
CREATE FUNCTION forget_relay_logins() RETURNS trigger
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
BEGIN
    DELETE FROM relay_login WHERE relay = OLD.name;
    RETURN NULL;
END $$;
CREATE TRIGGER relay_changes_logins AFTER UPDATE OR DELETE ON relay FOR EACH ROW EXECUTE FUNCTION forget_relay_logins();

-- All workers hear of a refusal, and that it no longer counts.
CREATE TRIGGER relay_login_refused AFTER INSERT ON relay_login
    FOR EACH ROW WHEN (NEW.refused_at IS NOT NULL) EXECUTE FUNCTION raise_sending_version();
CREATE TRIGGER relay_login_changes AFTER UPDATE ON relay_login
    FOR EACH ROW WHEN (NEW.refused_at IS DISTINCT FROM OLD.refused_at) EXECUTE FUNCTION raise_sending_version();
CREATE TRIGGER relay_login_forgotten AFTER DELETE ON relay_login
    FOR EACH ROW WHEN (OLD.refused_at IS NOT NULL) EXECUTE FUNCTION raise_sending_version();

-- May `who` log in? wait: how long not; null: yes. is_known: the relay takes it. With `claims` the answer yes is for him alone until he has
-- told, or for a minute. What was refused, on whichever hosts, is tried once an hour together; what was not, by one at a time.
CREATE FUNCTION relay_login_ask(of_relay text, print text, who text, claims boolean, OUT is_known boolean, OUT wait interval, OUT reply text)
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
DECLARE
    mine relay_login;
    refused timestamptz;
    tried timestamptz;
BEGIN
    LOCK TABLE relay_login IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO mine FROM relay_login l WHERE l.relay = of_relay AND l.fingerprint = print;
    SELECT max(l.refused_at), max(l.tried_at) FILTER (WHERE l.tried_by <> who) INTO refused, tried
    FROM relay_login l WHERE l.relay = of_relay;
    is_known := mine.taken_at IS NOT NULL AND mine.refused_at IS NULL;
    IF mine.refused_at IS NOT NULL AND refused > clock_timestamp() - interval '1 hour' THEN
        wait := refused + interval '1 hour' - clock_timestamp();
        reply := mine.reply;
    ELSIF NOT is_known AND claims AND tried > clock_timestamp() - interval '1 minute' THEN
        wait := interval '1 s';
    ELSIF NOT is_known AND claims THEN
        INSERT INTO relay_login AS l (relay, fingerprint, tried_by, tried_at) VALUES (of_relay, print, who, clock_timestamp())
        ON CONFLICT (relay, fingerprint) DO UPDATE SET tried_by = excluded.tried_by, tried_at = excluded.tried_at;
    END IF;
END $$;

-- What became of it: reply null: the relay took it. What was refused long ago, and is something else by now, is forgotten.
CREATE FUNCTION relay_login_tell(of_relay text, print text, refusal text) RETURNS void
LANGUAGE sql SET search_path = verpost, pg_temp AS $$
    DELETE FROM relay_login WHERE relay = of_relay AND fingerprint <> print AND refused_at < now() - interval '1 day';
    INSERT INTO relay_login AS l (relay, fingerprint, taken_at, refused_at, reply)
    VALUES (of_relay, print, CASE WHEN refusal IS NULL THEN now() END, CASE WHEN refusal IS NOT NULL THEN now() END, refusal)
    ON CONFLICT (relay, fingerprint) DO UPDATE SET taken_at = coalesce(l.taken_at, excluded.taken_at),
        refused_at = excluded.refused_at, reply = excluded.reply, tried_by = NULL, tried_at = NULL
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON relay_login TO verpost_sender;
