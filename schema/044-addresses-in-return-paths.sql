-- verpost 044: an erased address in return paths of other lists, and as a quoted-printable text has it.
--
-- list-bounces+ann=x.example@list.example names ann@x.example, as its return path writes a recipient (readable VERP), and so do ann=40x.example in a
-- part that is quoted-printable (RFC 2045 section 6.7) and =?utf-8?Q?ann=40x.example?= in a header (RFC 2047).

-- As in 042, and the octets behind an equals sign.
CREATE OR REPLACE FUNCTION spelling_pattern(spelling text, octets boolean) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = verpost, pg_temp AS $$
    SELECT string_agg(CASE WHEN c ~ '[A-Za-z0-9_]' THEN c WHEN c ~ '[.-]' THEN '\' || c
        ELSE '(?:' || regexp_replace(CASE WHEN octets THEN encode(convert_to(c, 'UTF8'), 'escape') ELSE c END,
                '([^[:alnum:]\u0080-\U0010ffff])', '\\\1', 'g')
            || '|' || regexp_replace(encode(convert_to(c, 'UTF8'), 'hex'), '(..)', '[%=]\1', 'g')
            || '|&#(?:0*' || ascii(c) || '|x0*' || to_hex(ascii(c)) || ');)' END, '' ORDER BY n)
    FROM regexp_split_to_table(spelling, '') WITH ORDINALITY AS x(c, n)
$$;

-- As in 042, or behind the first + and before an @, with = for its own @.
CREATE OR REPLACE FUNCTION address_pattern(spellings text[], octets boolean) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = verpost, pg_temp AS $$
    SELECT '(?:(?:(?<=%(?:0[9ad]|2[028cf]|3[a-f]|5b))|(?<![[:alnum:]_.+\u0080-\U0010ffff-])(?<![[:alnum:]_.+\u0080-\U0010ffff-][''&!#$%*^`{|}~]))(?:'
        || string_agg(spelling_pattern(s, octets), '|') || ')(?!-*[[:alnum:]_\u0080-\U0010ffff])(?!\.[[:alnum:]_\u0080-\U0010ffff])'
        || '|(?<=(?:^|[^[:alnum:]_.+-])[[:alnum:]_.-]+[+])(?:' || string_agg(spelling_pattern(split_part(s, '@', 1), octets) || '=' || spelling_pattern(split_part(s, '@', 2), octets), '|')
        || ')(?=@))'
    FROM unnest(spellings) AS s
$$;
