-- verpost 023: a copy of a worker's journal is told from the journal.

-- A journal that says less than the row is older: a copy, or put back from a backup.
ALTER TABLE worker
    ADD COLUMN epoch bigint NOT NULL DEFAULT 0, -- how often a process has taken the journal up: one of before stops
    ADD COLUMN turn bigint NOT NULL DEFAULT 0,  -- how many transactions the worker has written
    ADD COLUMN place text;                      -- boot and file of the journal: who has it locked there knows that nobody else has; null: not known
