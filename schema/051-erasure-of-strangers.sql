-- verpost 051: whoever is no subscriber is erased too.
--
-- A suppression, a letter kept for a person or the text of a report may name somebody who is not subscribed, or no longer. erase_texts() is asked with
-- the number -1, which is nobody's, so that no row passes for the person's own.

-- What names such an address apart from texts; no row when it is a subscriber's. The caller adds the suppression of kind 'erased'.
CREATE FUNCTION erase_stranger(spellings text[], dry boolean) RETURNS TABLE (place text, deed text, rows bigint)
LANGUAGE plpgsql SET search_path = verpost, pg_temp AS $$
BEGIN
    PERFORM FROM subscriber WHERE address_key = ANY (spellings) OR canonical = ANY (spellings);
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM erase_audit(-1, spellings, dry);
    RETURN QUERY WITH gone AS (DELETE FROM suppression WHERE NOT dry AND kind = 'address' AND value = ANY (spellings) RETURNING 1)
        SELECT 'suppression', 'removed', CASE WHEN dry THEN (SELECT count(*) FROM suppression WHERE kind = 'address' AND value = ANY (spellings))
            ELSE (SELECT count(*) FROM gone) END;
END $$;
REVOKE ALL ON FUNCTION erase_stranger(text[], boolean) FROM PUBLIC;
