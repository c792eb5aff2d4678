-- verpost 011: header fields of a list's copies.

-- Lines "Name: value" (LF between them, not folded, each name once): RFC 2369's about the list, and fields of its own.
ALTER TABLE list ADD COLUMN headers text NOT NULL DEFAULT '';

-- As the list had them when the campaign started, so that a copy is the same at every attempt.
ALTER TABLE campaign ADD COLUMN list_headers text;
UPDATE campaign SET list_headers = '' WHERE started_at IS NOT NULL;
GRANT UPDATE (list_headers) ON campaign TO verpost_sender;
