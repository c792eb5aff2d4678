-- verpost 003: politeness: domain groups, budgets shared by all workers, warm-up, breakers.

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

CREATE TRIGGER domain_group_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON domain_group
    FOR EACH STATEMENT EXECUTE FUNCTION raise_sending_version();
CREATE TRIGGER domain_group_domain_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON domain_group_domain
    FOR EACH STATEMENT EXECUTE FUNCTION raise_sending_version();

GRANT SELECT ON domain_group, domain_group_domain TO verpost_sender;
