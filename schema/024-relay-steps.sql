-- verpost 024: relays that are out of step.

-- A relay that says a reply too many or too few: what it said is not known to be the reply to what was asked. A worker that has found it has one
-- message at a time on each of its connections to it from then on.
ALTER TABLE relay_finding
    ADD COLUMN out_of_step bigint NOT NULL DEFAULT 0, -- how often
    ADD COLUMN out_of_step_at timestamptz,            -- the last time
    ADD COLUMN out_of_step_said text;                 -- what it said then

-- What the workers that run have found.
CREATE FUNCTION relay_steps(alive_s integer)
RETURNS TABLE (relay text, count bigint, at timestamptz, said text)
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT f.relay, sum(f.out_of_step)::bigint, max(f.out_of_step_at),
        (array_agg(f.out_of_step_said ORDER BY f.out_of_step_at DESC))[1]
    FROM relay_finding f JOIN worker w ON w.id = f.worker_id
    WHERE f.out_of_step > 0 AND w.pid IS NOT NULL AND w.seen_at > now() - alive_s * interval '1 second'
    GROUP BY f.relay
$$;
