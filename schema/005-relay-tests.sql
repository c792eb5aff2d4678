-- verpost 005: the return-path self-test of relays.

CREATE TABLE relay_test (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id BETWEEN 1 AND 1099511627775), -- stands for the subscriber in tokens of campaign 0
    relay text NOT NULL, -- its name
    asked_at timestamptz NOT NULL DEFAULT now()
);
