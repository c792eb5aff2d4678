-- verpost 015: relays as each worker finds them.

-- Hosts differ: one has a wrong secret, or no route. Without a row the worker has not found out; it begins so when it starts.
DROP TABLE relay_state;
CREATE TABLE relay_finding (
    relay text NOT NULL,
    worker_id uuid NOT NULL REFERENCES worker ON DELETE CASCADE,
    reason text, -- why it is left alone; null: it takes messages
    since timestamptz NOT NULL DEFAULT now(),
    retry_at timestamptz,
    PRIMARY KEY (relay, worker_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON relay_finding TO verpost_sender;

-- What the workers that run find wrong, one row a relay. Where one of them finds that it works, or not all say the same, hosts are named.
CREATE FUNCTION relay_troubles(alive_s integer)
RETURNS TABLE (relay text, reason text, since timestamptz, retry_at timestamptz, is_everywhere boolean)
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    WITH found AS (SELECT f.*, w.host FROM relay_finding f JOIN worker w ON w.id = f.worker_id
                   WHERE w.pid IS NOT NULL AND w.seen_at > now() - alive_s * interval '1 second'),
    said AS (SELECT f.relay, f.reason, string_agg(DISTINCT f.host, ', ') AS hosts, min(f.since) AS since, min(f.retry_at) AS retry_at
             FROM found f WHERE f.reason IS NOT NULL GROUP BY f.relay, f.reason),
    works AS (SELECT DISTINCT f.relay FROM found f WHERE f.reason IS NULL)
    SELECT s.relay,
        CASE WHEN count(*) = 1 AND k.relay IS NULL THEN min(s.reason)
        ELSE string_agg(s.hosts || ': ' || s.reason, '; ' ORDER BY s.since, s.reason) END,
        min(s.since), min(s.retry_at), k.relay IS NULL
    FROM said s LEFT JOIN works k ON k.relay = s.relay GROUP BY s.relay, k.relay
$$;
