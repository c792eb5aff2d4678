-- verpost 045: an erased address in return paths that part it off by another sign than +.
--
-- list-bounces-ann=x.example@list.example, list-return-123-ann=x.example@, bounces+1234567-1a2b-ann=x.example@ and bounce-mc.us1_12.34-ann=x.example@
-- name ann@x.example, as other programs write a recipient into their return paths. A minus alone parts nothing: list-bounces-mary-ann=x.example@ names
-- mary-ann@x.example; so it counts behind a word for bounces, or behind the sender's numbers, only.

-- As in 044, or behind the sign of a return path, with = for its own @.
CREATE OR REPLACE FUNCTION address_pattern(spellings text[], octets boolean) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = verpost, pg_temp AS $$
    SELECT '(?:(?:(?<=%(?:0[9ad]|2[028cf]|3[a-f]|5b))|(?<![[:alnum:]_.+\u0080-\U0010ffff-])(?<![[:alnum:]_.+\u0080-\U0010ffff-][''&!#$%*^`{|}~]))(?:'
        || string_agg(spelling_pattern(s, octets), '|') || ')(?!-*[[:alnum:]_\u0080-\U0010ffff])(?!\.[[:alnum:]_\u0080-\U0010ffff])'
        || '|(?<=(?:^|[^[:alnum:]_.+-])(?:[[:alnum:]_.-]+[+]|(?:[[:alnum:]_.-]*[._-])?(?:bounces?|returns?|owner)[=-])'
        || '(?:(?:[0-9]{2,}(?:-[0-9a-f]{4})?|mc\.us[0-9][0-9._]*)-)?)(?:'
        || string_agg(spelling_pattern(split_part(s, '@', 1), octets) || '=' || spelling_pattern(split_part(s, '@', 2), octets), '|')
        || ')(?=@))'
    FROM unnest(spellings) AS s
$$;
