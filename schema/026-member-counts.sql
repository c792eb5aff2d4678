-- verpost 026: how many members a list has in each state, without counting ten million of them.
--
-- Each statement that changes memberships adds what it changed. Nobody waits for anybody: no row is ever changed, and whoever folds the
-- changes into fewer rows takes only those that nobody else has in hand. A sum that no other transaction sees is as true as its snapshot.

CREATE TABLE member_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    list_id bigint NOT NULL,
    state membership_state NOT NULL,
    people bigint NOT NULL
);
INSERT INTO member_change (list_id, state, people) SELECT list_id, state, count(*) FROM membership GROUP BY list_id, state;

CREATE VIEW member_count AS
    SELECT list_id, state, sum(people)::bigint AS people FROM member_change GROUP BY list_id, state;

CREATE FUNCTION fold_member_changes() RETURNS void
LANGUAGE sql SET search_path = verpost, pg_temp AS $$
    WITH old AS (
        DELETE FROM member_change WHERE id IN (SELECT id FROM member_change ORDER BY id LIMIT 10000 FOR UPDATE SKIP LOCKED)
        RETURNING list_id, state, people)
    INSERT INTO member_change (list_id, state, people)
    SELECT list_id, state, sum(people) FROM old GROUP BY list_id, state HAVING sum(people) <> 0
$$;

-- After a statement that inserted, deleted or updated memberships. One in about 500 folds, so that there are never many more rows than
-- lists have states.
CREATE FUNCTION note_member_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
DECLARE
    noted bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        WITH added AS (
            INSERT INTO member_change (list_id, state, people)
            SELECT list_id, state, count(*) FROM new_members GROUP BY list_id, state RETURNING id)
        SELECT max(id) INTO noted FROM added;
    ELSIF TG_OP = 'DELETE' THEN
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
REVOKE ALL ON FUNCTION fold_member_changes(), note_member_changes() FROM PUBLIC;

CREATE TRIGGER members_come AFTER INSERT ON membership REFERENCING NEW TABLE AS new_members
    FOR EACH STATEMENT EXECUTE FUNCTION note_member_changes();
CREATE TRIGGER members_change AFTER UPDATE ON membership REFERENCING OLD TABLE AS old_members NEW TABLE AS new_members
    FOR EACH STATEMENT EXECUTE FUNCTION note_member_changes();
CREATE TRIGGER members_go AFTER DELETE ON membership REFERENCING OLD TABLE AS old_members
    FOR EACH STATEMENT EXECUTE FUNCTION note_member_changes();
