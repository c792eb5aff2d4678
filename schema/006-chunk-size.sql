-- verpost 006: how many are in a chunk, beside the array, so that neither a claim nor a check has to read the array.

ALTER TABLE campaign_chunk
    ADD COLUMN size integer NOT NULL GENERATED ALWAYS AS (cardinality(subscriber_ids)) STORED,
    DROP CONSTRAINT campaign_chunk_subscriber_ids_check,
    DROP CONSTRAINT campaign_chunk_check,  -- opened within subscriber_ids
    DROP CONSTRAINT campaign_chunk_check3, -- done only when all were opened
    ADD CONSTRAINT campaign_chunk_size_check CHECK (size > 0),
    ADD CONSTRAINT campaign_chunk_opened_check CHECK (opened BETWEEN 0 AND size),
    ADD CONSTRAINT campaign_chunk_done_check CHECK (NOT done OR opened = size);

-- What may be claimed, in the order in which it is.
CREATE INDEX campaign_chunk_claimable ON campaign_chunk (campaign_id, chunk_no) WHERE opened < size;
