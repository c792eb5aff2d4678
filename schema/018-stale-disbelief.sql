-- verpost 018: what one worker did not believe of a relay is no trouble any more once another has found that it works.

-- As 015, but for troubles that nothing is tried against at a time (a refusal that did not stand): the worker that had it may have nobody left
-- for that relay, and would never find out.
CREATE OR REPLACE FUNCTION relay_troubles(alive_s integer)
RETURNS TABLE (relay text, reason text, since timestamptz, retry_at timestamptz, is_everywhere boolean)
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    WITH alive AS (SELECT f.*, w.host FROM relay_finding f JOIN worker w ON w.id = f.worker_id
                   WHERE w.pid IS NOT NULL AND w.seen_at > now() - alive_s * interval '1 second'),
    found AS (SELECT a.* FROM alive a WHERE a.reason IS NULL OR a.retry_at IS NOT NULL OR NOT EXISTS (
                  SELECT FROM alive o WHERE o.relay = a.relay AND o.reason IS NULL AND o.since > a.since)),
    said AS (SELECT f.relay, f.reason, string_agg(DISTINCT f.host, ', ') AS hosts, min(f.since) AS since, min(f.retry_at) AS retry_at
             FROM found f WHERE f.reason IS NOT NULL GROUP BY f.relay, f.reason),
    works AS (SELECT DISTINCT f.relay FROM found f WHERE f.reason IS NULL)
    SELECT s.relay,
        CASE WHEN count(*) = 1 AND k.relay IS NULL THEN min(s.reason)
        ELSE string_agg(s.hosts || ': ' || s.reason, '; ' ORDER BY s.since, s.reason) END,
        min(s.since), min(s.retry_at), k.relay IS NULL
    FROM said s LEFT JOIN works k ON k.relay = s.relay GROUP BY s.relay, k.relay
$$;
