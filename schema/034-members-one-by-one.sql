-- verpost 034: an import that writes its members once.
--
-- To see all rows of a statement at its end the server keeps a copy of each: a fifth of what it takes to join a million people. So whoever joins is
-- looked at row by row, and whoever brings in many at once says that he has done both himself: locked the people and the list
-- (verpost.people_are_locked, schema/028) and counted the members into member_change (verpost.members_are_counted), for the transaction.

DROP TRIGGER members_are_held ON membership;
DROP FUNCTION hold_new_members();
CREATE TRIGGER new_members_are_held AFTER INSERT ON membership
    FOR EACH ROW WHEN (current_setting('verpost.people_are_locked', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION hold_moved_member();

CREATE FUNCTION note_new_member() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
DECLARE
    noted bigint;
BEGIN
    INSERT INTO member_change (list_id, state, people) VALUES (NEW.list_id, NEW.state, 1) RETURNING id INTO noted;
    IF noted % 500 = 0 THEN
        PERFORM fold_member_changes();
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_new_member() FROM PUBLIC;

DROP TRIGGER members_come ON membership;
CREATE TRIGGER members_come AFTER INSERT ON membership
    FOR EACH ROW WHEN (current_setting('verpost.members_are_counted', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION note_new_member();

-- What is left of note_member_changes().
CREATE OR REPLACE FUNCTION note_member_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
DECLARE
    noted bigint;
BEGIN
    IF TG_OP = 'DELETE' THEN
        WITH added AS (
            INSERT INTO member_change (list_id, state, people)
            SELECT list_id, state, -count(*) FROM old_members GROUP BY list_id, state RETURNING id)
        SELECT max(id) INTO noted FROM added;
    ELSE
        WITH added AS (
            INSERT INTO member_change (list_id, state, people)
            SELECT list_id, state, sum(people) FROM (
                SELECT list_id, state, 1 AS people FROM new_members UNION ALL SELECT list_id, state, -1 FROM old_members) AS one
            GROUP BY list_id, state HAVING sum(people) <> 0 RETURNING id)
        SELECT max(id) INTO noted FROM added;
    END IF;
    IF noted % 500 < 2 THEN
        PERFORM fold_member_changes();
    END IF;
    RETURN NULL;
END $$;
