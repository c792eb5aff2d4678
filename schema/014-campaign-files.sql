-- verpost 014: images and attachments of letters.

CREATE TABLE campaign_file (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    position integer NOT NULL CHECK (position > 0),
    name text NOT NULL CHECK (name <> ''),
    type text NOT NULL CHECK (type <> ''),  -- of MIME
    content_id text,                        -- what the HTML says behind cid:; null: an attachment
    content bytea NOT NULL,
    PRIMARY KEY (campaign_id, position)
);
ALTER TABLE campaign_file ALTER COLUMN content SET STORAGE EXTERNAL; -- images are compressed already

GRANT SELECT ON campaign_file TO verpost_sender;
