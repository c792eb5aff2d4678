-- verpost 013: what templates may name inside of objects and lists.

-- The paths of members' attributes that lie in other attributes, such as "orders.sku"; the items of a list have its path. Few lists have such
-- attributes: the first condition finds that out in one pass.
CREATE FUNCTION field_paths(of_list bigint, of_state membership_state) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    WITH RECURSIVE holder(path, value) AS (
        SELECT e.key, e.value FROM membership m JOIN subscriber s ON s.id = m.subscriber_id
        CROSS JOIN LATERAL jsonb_each(s.attributes) AS e
        WHERE m.list_id = of_list AND (of_state IS NULL OR m.state = of_state) AND s.attributes @? '$.*[*].*'
        AND jsonb_typeof(e.value) IN ('object', 'array')
        UNION ALL
        SELECT CASE WHEN e.key IS NULL THEN h.path ELSE h.path || '.' || e.key END, e.value
        FROM holder h CROSS JOIN LATERAL (
            SELECT o.key, o.value FROM jsonb_each(CASE jsonb_typeof(h.value) WHEN 'object' THEN h.value END) AS o
            UNION ALL SELECT NULL, a.value FROM jsonb_array_elements(CASE jsonb_typeof(h.value) WHEN 'array' THEN h.value END) AS a) AS e
        WHERE jsonb_typeof(e.value) IN ('object', 'array'))
    SELECT DISTINCT h.path || '.' || o.key FROM holder h
    CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(h.value) WHEN 'object' THEN h.value END) AS o
$$;
