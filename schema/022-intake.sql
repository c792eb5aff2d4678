-- verpost 022: reports are stored at less cost.

-- As bounce_fate(), which PostgreSQL runs as a statement of its own for each event: this one becomes part of the statement that asks.
-- OFFSET 0: each is looked up by its key, and never by reading the whole table into a hash.
CREATE FUNCTION bounce_fate_of(campaign bigint, person bigint) RETURNS TABLE (fate text)
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM campaign c WHERE c.id = campaign OFFSET 0)
          OR NOT EXISTS (SELECT FROM subscriber s WHERE s.id = person OFFSET 0) THEN 'orphan'
        WHEN EXISTS (SELECT FROM delivery d WHERE d.campaign_id = campaign AND d.subscriber_id = person OFFSET 0) THEN 'sent'
        WHEN EXISTS (SELECT FROM campaign c WHERE c.id = campaign AND c.ended_at IS NULL OFFSET 0)
          OR EXISTS (SELECT FROM deferral f WHERE f.campaign_id = campaign AND f.subscriber_id = person OFFSET 0)
          OR EXISTS (SELECT FROM chunk_window w WHERE w.campaign_id = campaign OFFSET 0) THEN 'waits'
        ELSE 'orphan'
    END
$$;
GRANT EXECUTE ON FUNCTION bounce_fate_of(bigint, bigint) TO verpost_sender, verpost_bounced;

-- For programs of the release before.
CREATE OR REPLACE FUNCTION bounce_fate(campaign bigint, person bigint) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT f.fate FROM bounce_fate_of(campaign, person) AS f
$$;

-- A server without lz4 compresses as before.
DO $$
BEGIN
    ALTER TABLE bounce_raw ALTER COLUMN message SET COMPRESSION lz4;
    ALTER TABLE mailbox_message ALTER COLUMN message SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END $$;
