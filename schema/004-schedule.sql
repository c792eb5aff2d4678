-- verpost 004: schedules: not after, sending windows, each recipient's local time, expiry of retries; what a pause waits for.

ALTER TABLE campaign ADD COLUMN not_after timestamptz;

-- A scheduled campaign with a reason waits for a person: it is due and does not start until it is scheduled or started anew.
ALTER TABLE campaign DROP CONSTRAINT campaign_check4;
ALTER TABLE campaign ADD CONSTRAINT campaign_held CHECK (CASE state WHEN 'paused' THEN hold_reason IS NOT NULL
    WHEN 'scheduled' THEN true ELSE hold_reason IS NULL END);
