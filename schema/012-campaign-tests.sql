-- verpost 012: copies of a campaign sent to testers.

-- One copy as one subscriber would get it, to another address. Nothing of it stands in the ledger: its tokens are of campaign 0 and this id,
-- which no return-path test has, so that what comes back is about nobody, and its link to unsubscribe is of subscriber 0, whom nobody is.
CREATE TABLE campaign_test (
    id bigint PRIMARY KEY DEFAULT nextval('relay_test_id_seq') CHECK (id BETWEEN 1 AND 1099511627775),
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    subscriber_id bigint NOT NULL REFERENCES subscriber ON DELETE CASCADE, -- whose copy
    address text NOT NULL,                            -- who gets it
    relay text COLLATE "C" NOT NULL CHECK (relay <> ''), -- its name
    plain boolean NOT NULL,                           -- the subject is not marked as that of a test
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    due_by timestamptz NOT NULL,                      -- nobody begins it later
    -- sender's word, as in relay_test
    taken_at timestamptz,
    taken_by text,
    answered_at timestamptz,
    accepted boolean,
    step text,
    code smallint CHECK (code BETWEEN 200 AND 599),
    reply text,
    CHECK (due_by > asked_at),
    CHECK ((taken_at IS NULL) = (taken_by IS NULL)),
    CHECK (answered_at IS NOT NULL OR (accepted IS NULL AND step IS NULL AND code IS NULL AND reply IS NULL))
);
CREATE INDEX campaign_test_waiting ON campaign_test (id) WHERE taken_at IS NULL;
CREATE INDEX campaign_test_by_campaign ON campaign_test (campaign_id);

GRANT SELECT, DELETE ON campaign_test TO verpost_sender; -- its coordinator deletes old ones
GRANT UPDATE (taken_at, taken_by, answered_at, accepted, step, code, reply) ON campaign_test TO verpost_sender;
