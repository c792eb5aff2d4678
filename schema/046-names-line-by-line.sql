-- verpost 046: names are taken out of long texts line by line.
--
-- Each time that regexp_replace() goes on behind what it has replaced, the pattern looks back over all of the text before: a returned message of 200 KB
-- that names somebody ten thousand times took half a minute, and one of a megabyte would have taken many. No name goes over a line's end.

-- Said without what the pattern fits. Lines are parted by LF, which no address holds.
CREATE FUNCTION lines_without(said text, pattern text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = verpost, pg_temp AS $$
    SELECT coalesce(string_agg(regexp_replace(line, pattern, 'erased', 'gi'), E'\n' ORDER BY n), '')
    FROM string_to_table(said, E'\n') WITH ORDINALITY AS x(line, n)
$$;

-- As in 042, but for that.
CREATE OR REPLACE FUNCTION erasable_sql(said text, type text, deed text, OUT names text, OUT change text)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    names := format(CASE type
        WHEN 'bytea' THEN 'CASE WHEN lower(encode(t.%1$I, ''escape'') COLLATE "C") LIKE ANY ($3) THEN encode(t.%1$I, ''escape'') ~* $4 ELSE false END'
        WHEN 'text' THEN 'CASE WHEN lower(t.%1$I COLLATE "C") LIKE ANY ($1) THEN t.%1$I ~* $2 ELSE false END'
        ELSE 'CASE WHEN lower(t.%1$I::text COLLATE "C") LIKE ANY ($1) THEN regexp_replace(t.%1$I::text, ''\\[bfnrt]'', '' '', ''g'') ~* $2'
            ' ELSE false END' END, said);
    change := format(CASE WHEN deed = 'emptied' THEN '%1$I = CASE WHEN ' || replace(names, '%', '%%') || ' THEN NULL ELSE t.%1$I END'
        WHEN type = 'bytea' THEN '%1$I = decode(lines_without(encode(t.%1$I, ''escape''), $4), ''escape'')'
        WHEN type = 'jsonb' THEN '%1$I = json_without(t.%1$I, $2)'
        ELSE '%1$I = lines_without(t.%1$I, $2)' END, said);
END $$;
