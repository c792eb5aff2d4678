-- verpost 032: nobody waits for somebody else's suppression, and none is lost to another one; the address that a person had before.
--
-- A value may stand several times: the one that lasts longest counts, as everybody asks whether any is in force. Formerly one row stood for a
-- value, so that whoever added it waited for all who did the same and had not committed yet (an import of a million rows, which bounced could
-- not outwait), and a suppression for good gave way to one with an end that was committed a moment later. Now an insert looks at what
-- is committed and waits for nothing: it leaves out what is there already, and takes the place of what ends earlier, unless somebody
-- else just does. Two at the same time may both stay, which harms nobody.
--
-- listctl of the release before cannot add any more (it names the former constraint); sender and bounced can.

ALTER TABLE suppression DROP CONSTRAINT suppression_value_kind_list_id_key;
CREATE INDEX suppression_value ON suppression (value, kind, list_id);

-- Its plans are kept, and may have been made while the table was empty: a million rows would be looked through a million times.
CREATE OR REPLACE FUNCTION end_shorter_suppression() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp SET enable_seqscan = off AS $$
BEGIN
    PERFORM FROM suppression WHERE value = NEW.value AND kind = NEW.kind AND list_id IS NOT DISTINCT FROM NEW.list_id LIMIT 1;
    IF NOT FOUND THEN
        RETURN NEW;
    END IF;
    -- One that somebody just takes away does not count: it is there no longer when this one is needed.
    PERFORM FROM suppression WHERE value = NEW.value AND kind = NEW.kind AND list_id IS NOT DISTINCT FROM NEW.list_id
        AND coalesce(expires_at, 'infinity') >= coalesce(NEW.expires_at, 'infinity') LIMIT 1 FOR KEY SHARE SKIP LOCKED;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    DELETE FROM suppression WHERE id IN (SELECT id FROM suppression WHERE value = NEW.value AND kind = NEW.kind
        AND list_id IS NOT DISTINCT FROM NEW.list_id AND expires_at < coalesce(NEW.expires_at, 'infinity') FOR UPDATE SKIP LOCKED);
    RETURN NEW;
END $$;

-- What came back for the address that somebody had before tells nothing about the present one. Null: it is the first one.
ALTER TABLE subscriber ADD COLUMN address_since timestamptz;

-- Whether a report on a copy that the relay took at `sent` is about an address of before. A copy that was under way when the person moved may
-- have been taken afterwards: then the report's own word on its recipient decides, for a day.
CREATE FUNCTION is_of_former_address(sent timestamptz, recipient text, address_key text, address_since timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT address_since IS NOT NULL AND (sent < address_since
        OR (sent < address_since + interval '1 day' AND recipient IS NOT NULL AND lower(recipient) <> address_key))
$$;
GRANT EXECUTE ON FUNCTION is_of_former_address(timestamptz, text, text, timestamptz) TO verpost_sender, verpost_bounced;
