-- verpost 016: A/B tests: variants of a campaign.

-- A campaign without rows here has one letter, its own. With some, the first is the campaign's own (its content null); shares are of 10,000, all
-- together. Frozen, like the campaign, once it has started.
CREATE TABLE campaign_variant (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    position smallint NOT NULL CHECK (position BETWEEN 1 AND 5), -- 1 is shown as A, 2 as B ...
    share integer NOT NULL CHECK (share BETWEEN 1 AND 9999),
    subject text,
    text_body text,
    html_body text,
    PRIMARY KEY (campaign_id, position),
    CHECK ((position = 1) = (subject IS NULL AND text_body IS NULL AND html_body IS NULL))
);
GRANT SELECT ON campaign_variant TO verpost_sender;

-- Which one was sent; null: the campaign has none, or it was not sent. A null takes no room in a row.
ALTER TABLE delivery ADD COLUMN variant smallint;
-- Null: the campaign's own letter.
ALTER TABLE campaign_test ADD COLUMN variant smallint;

-- Which one a person gets, as lib/mail/variant.c has it; null without variants.
CREATE FUNCTION variant_of(campaign bigint, person bigint) RETURNS smallint
LANGUAGE sql STABLE SET search_path = verpost, pg_temp AS $$
    SELECT v.position FROM (SELECT w.position, sum(w.share) OVER (ORDER BY w.position) AS up_to
                            FROM campaign_variant w WHERE w.campaign_id = campaign) AS v
    WHERE v.up_to > (('x' || left(encode(sha256(convert_to(campaign || '/' || person, 'UTF8')), 'hex'), 8))::bit(32)::bigint * 10000) >> 32
    ORDER BY v.up_to LIMIT 1
$$;
