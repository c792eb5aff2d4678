-- verpost 020: what a change of the rules changed, so that it can be seen and taken back.

ALTER TABLE prune_batch ADD COLUMN kind text NOT NULL DEFAULT 'prune' CHECK (kind IN ('prune', 'reclassify'));

-- The verdict over a report as it was and as the newer rules have it. No foreign key: events go with their block of campaigns.
CREATE TABLE bounce_revision (
    batch_id bigint NOT NULL REFERENCES prune_batch,
    campaign_id bigint NOT NULL,
    event_id bigint NOT NULL,
    old_kind bounce_kind NOT NULL,
    old_reason text NOT NULL,
    old_status text,
    old_code smallint,
    old_rule text,
    new_kind bounce_kind NOT NULL,
    new_reason text NOT NULL,
    new_status text,
    PRIMARY KEY (batch_id, campaign_id, event_id)
);
