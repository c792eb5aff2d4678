-- verpost 019: the relay of the settings, too, is tried at once when a person says so.

CREATE TABLE settings_relay (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    retried_at timestamptz -- when a person last said so; null: never
);
INSERT INTO settings_relay DEFAULT VALUES;
CREATE TRIGGER settings_relay_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON settings_relay
    FOR EACH STATEMENT EXECUTE FUNCTION raise_sending_version();
GRANT SELECT ON settings_relay TO verpost_sender;
