-- verpost 009: a worker whose journal cannot be used says so where people look.

ALTER TABLE worker ADD COLUMN refused text; -- why its journal was refused when it was found; null: it was not
