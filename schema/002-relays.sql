-- verpost 002: relays as rows.

-- Without an enabled row the relay of the settings ([relay] host, port ...) is used. An empty column (null) means what the settings say.
CREATE TABLE relay (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    enabled boolean NOT NULL DEFAULT true,
    protocol text NOT NULL DEFAULT 'smtp' CHECK (protocol IN ('smtp', 'lmtp')),
    host text CHECK (host <> ''),
    port integer CHECK (port BETWEEN 1 AND 65535),
    socket text CHECK (socket LIKE '/%'), -- a Unix socket instead of host and port
    tls text NOT NULL DEFAULT 'none' CHECK (tls IN ('none', 'starttls', 'implicit')), -- never without once it is asked for
    tls_name text,                        -- the name its certificate must have; null: host
    tls_ca text,                          -- a PEM file of authorities on sender's hosts; null: the system's
    auth text NOT NULL DEFAULT 'none' CHECK (auth IN ('none', 'any', 'scram-sha-256-plus', 'scram-sha-256', 'plain', 'login',
        'xoauth2', 'oauthbearer')),
    auth_user text,                       -- its secret is a file or a command on sender's hosts, never in the database
    source_address inet,
    helo text,
    weight integer NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 1000),
    connections integer CHECK (connections > 0),               -- of all workers of all hosts together; null: no limit
    messages_per_connection bigint CHECK (messages_per_connection > 0),
    messages_per_second double precision CHECK (messages_per_second > 0), -- of all workers together; null: no limit
    in_flight integer CHECK (in_flight BETWEEN 1 AND 100),
    notify text CHECK (notify IN ('failure', 'failure,delay')),
    campaigns text[] NOT NULL DEFAULT '{}', -- only for these (names, * for any run of characters); empty: all
    lists text[] NOT NULL DEFAULT '{}',     -- only for campaigns of these lists; empty: all
    domains text[] NOT NULL DEFAULT '{}',   -- only for recipients at these domains (.example.org: below it; @name: a domain group)
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((socket IS NULL) = (host IS NOT NULL)),
    CHECK ((host IS NULL) = (port IS NULL)),
    CHECK (auth = 'none' OR auth_user IS NOT NULL),
    CHECK (auth = 'none' OR tls <> 'none' OR socket IS NOT NULL)
);

-- Raised by every change of what a running sender has to follow; workers ask for it and read the rows again when it differs.
CREATE TABLE sending_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL DEFAULT 1
);
INSERT INTO sending_version DEFAULT VALUES;

CREATE FUNCTION raise_sending_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
BEGIN
    UPDATE sending_version SET version = version + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER relay_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON relay
    FOR EACH STATEMENT EXECUTE FUNCTION raise_sending_version();

GRANT SELECT ON relay, sending_version TO verpost_sender;
