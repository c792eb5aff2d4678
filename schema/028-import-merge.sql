-- verpost 028: what an import knows of a member, and how it brings in millions.

-- canonical: the mailbox that the address is a spelling of, where it is another one (a.b+x@gmail.com: ab@gmail.com).
ALTER TABLE subscriber ADD COLUMN canonical text COLLATE "C" CHECK (canonical <> address_key);
CREATE INDEX subscriber_canonical ON subscriber (canonical) WHERE canonical IS NOT NULL;

-- joined_at: the first time, whatever came after. Consent is null unless somebody said.
ALTER TABLE membership
    ADD COLUMN joined_at timestamptz,
    ADD COLUMN consent_source text,
    ADD COLUMN consent_at timestamptz;
ALTER TABLE membership -- the table is written anew: an update would leave each row twice
    ALTER COLUMN joined_at TYPE timestamptz USING since,
    ALTER COLUMN joined_at SET DEFAULT now(),
    ALTER COLUMN joined_at SET NOT NULL;

-- ---- no membership without its person and its list -----------------------------------------------------------------------
--
-- A foreign key looks each row's list and person up by statements of their own, which takes longer than to write the row. Here a whole
-- statement is checked at once. Whoever brings in many and has locked the people and the list (or has made them in the same transaction)
-- says so by the setting verpost.people_are_locked, for the transaction. As with foreign keys a deletion waits for those who hold such a
-- lock and then sees what they have added; one that came first is waited for, and then there is nobody to be locked.

ALTER TABLE membership DROP CONSTRAINT membership_list_id_fkey, DROP CONSTRAINT membership_subscriber_id_fkey;

CREATE FUNCTION hold_new_members() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
BEGIN
    PERFORM FROM list WHERE id IN (SELECT list_id FROM new_members) ORDER BY id FOR KEY SHARE;
    PERFORM FROM subscriber WHERE id IN (SELECT subscriber_id FROM new_members) ORDER BY id FOR KEY SHARE;
    IF EXISTS (SELECT FROM new_members n WHERE NOT EXISTS (SELECT FROM list l WHERE l.id = n.list_id)
               OR NOT EXISTS (SELECT FROM subscriber s WHERE s.id = n.subscriber_id)) THEN
        RAISE EXCEPTION 'a membership needs its list and its subscriber' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION hold_moved_member() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
BEGIN
    PERFORM FROM list l, subscriber s WHERE l.id = NEW.list_id AND s.id = NEW.subscriber_id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a membership needs its list and its subscriber' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION keep_subscribers_of_lists() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM gone g JOIN membership m ON m.subscriber_id = g.id) THEN
        RAISE EXCEPTION 'a subscriber who is a member of a list cannot be deleted' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION keep_lists_of_members() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM gone g JOIN membership m ON m.list_id = g.id) THEN
        RAISE EXCEPTION 'a list that has members cannot be deleted' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION hold_new_members(), hold_moved_member(), keep_subscribers_of_lists(), keep_lists_of_members() FROM PUBLIC;

CREATE TRIGGER members_are_held AFTER INSERT ON membership REFERENCING NEW TABLE AS new_members
    FOR EACH STATEMENT WHEN (current_setting('verpost.people_are_locked', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION hold_new_members();
CREATE TRIGGER moved_members_are_held AFTER UPDATE OF list_id, subscriber_id ON membership
    FOR EACH ROW WHEN ((OLD.list_id, OLD.subscriber_id) IS DISTINCT FROM (NEW.list_id, NEW.subscriber_id))
    EXECUTE FUNCTION hold_moved_member();
CREATE TRIGGER members_keep_subscribers AFTER DELETE ON subscriber REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION keep_subscribers_of_lists();
CREATE TRIGGER members_keep_lists AFTER DELETE ON list REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION keep_lists_of_members();
