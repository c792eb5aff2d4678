-- verpost 004: schedules: not after, sending windows, each recipient's local time, expiry of retries; what a pause waits for.

ALTER TABLE campaign ADD COLUMN not_after timestamptz;
