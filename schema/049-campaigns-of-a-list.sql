-- verpost 049: which campaigns went to a list since a moment, found by a key.
--
-- A verdict asks it for everybody about whom something came back; so far it looked at all campaigns, and at all members besides.

CREATE OR REPLACE VIEW campaign_sent AS
    SELECT id, list_id, started_at, ended_at, coalesce(ended_at, 'infinity') AS over_at FROM campaign WHERE started_at IS NOT NULL
    UNION ALL
    SELECT c.id, a.list_id, c.started_at, c.ended_at, coalesce(c.ended_at, 'infinity') FROM campaign_audience a JOIN campaign c ON c.id = a.campaign_id
    WHERE a.list_id IS NOT NULL AND NOT a.is_left_out AND c.started_at IS NOT NULL;
CREATE INDEX campaign_sent_by_list ON campaign (list_id, coalesce(ended_at, 'infinity')) WHERE started_at IS NOT NULL;
