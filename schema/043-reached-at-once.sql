-- verpost 043: whom a campaign reaches through its other lists is written in hundreds of thousands of rows at once, of which each looked for its
-- campaign: that took four times as long as to freeze the audience. One that has started is never deleted.

ALTER TABLE campaign_reached DROP CONSTRAINT campaign_reached_campaign_id_fkey;
