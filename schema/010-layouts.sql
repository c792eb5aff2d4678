-- verpost 010: the HTML around a list's letters.

ALTER TABLE list ADD COLUMN layout text; -- a template with {{{content}}}; null: the built-in one
