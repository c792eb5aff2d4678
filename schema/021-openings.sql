-- verpost 021: when a window opens next, also where the clocks are changed meanwhile.

-- As 004, which read each range's start once and by one offset: a start that the clocks show twice, or skip while they are set forward into
-- the range, came out later, or not at all. In a window an instant is first when it is a range's start by any offset that the zone has until
-- then, or one at which the clocks change. null: none within three weeks.
CREATE OR REPLACE FUNCTION next_opening(windows int4multirange, zone text, at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    WITH hours AS (
        SELECT hour, (hour AT TIME ZONE zone) - (hour AT TIME ZONE 'UTC') AS utc_offset
        FROM generate_series(date_trunc('hour', at), at + interval '21 days', interval '1 hour') AS h(hour)),
    changes AS (
        SELECT hour FROM (SELECT hour, utc_offset, lead(utc_offset) OVER (ORDER BY hour) AS next_offset FROM hours) AS h
        WHERE next_offset <> utc_offset),
    starts AS (
        SELECT (date_trunc('week', at AT TIME ZONE zone) + make_interval(days => days, mins => lower(minutes)) - utc_offset)
            AT TIME ZONE 'UTC' AS opens
        FROM unnest(windows) AS r(minutes) CROSS JOIN generate_series(-7, 21, 7) AS d(days)
            CROSS JOIN (SELECT DISTINCT utc_offset FROM hours) AS o
        UNION ALL
        SELECT minute FROM changes CROSS JOIN LATERAL generate_series(hour, hour + interval '1 hour', interval '1 minute') AS m(minute))
    SELECT CASE WHEN is_in_window(windows, zone, at) THEN at
        ELSE (SELECT min(opens) FROM starts WHERE opens > at AND is_in_window(windows, zone, opens)) END
$$;
