-- verpost 048: a new member is looked at by one trigger.
--
-- Whoever brings in many at once has locked the people and the list and counts the members himself: an import did both, so that asking twice, row by
-- row, was a twentieth of its time. verpost.members_are_counted says both; verpost.people_are_locked says nothing any more.

DROP TRIGGER new_members_are_held ON membership;
CREATE OR REPLACE FUNCTION note_new_member() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
DECLARE
    noted bigint;
BEGIN
    PERFORM FROM list l, subscriber s WHERE l.id = NEW.list_id AND s.id = NEW.subscriber_id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a membership needs its list and its subscriber' USING ERRCODE = 'foreign_key_violation';
    END IF;
    INSERT INTO member_change (list_id, state, people) VALUES (NEW.list_id, NEW.state, 1) RETURNING id INTO noted;
    IF noted % 500 = 0 THEN
        PERFORM fold_member_changes();
    END IF;
    RETURN NULL;
END $$;
