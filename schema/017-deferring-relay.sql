-- verpost 017: which relay put a recipient off.

-- Name of the relay of the last attempt, whose word or failure it was; null: not known, or none did. The next attempt prefers another one where that helps.
ALTER TABLE deferral ADD COLUMN relay text;
