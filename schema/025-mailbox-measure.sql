-- verpost 025: what is kept for a person has a measure, in size and in time.

-- Removes up to `most` messages that came before then, and says how many octets are kept. bounced may neither read nor remove any itself.
CREATE FUNCTION mailbox_tidy(before timestamptz, most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = verpost, pg_temp AS $$
BEGIN
    DELETE FROM mailbox_message WHERE id IN (
        SELECT id FROM mailbox_message WHERE received_at < before ORDER BY received_at LIMIT most);
    RETURN (SELECT coalesce(sum(octet_length(message)), 0) FROM mailbox_message);
END $$;
REVOKE ALL ON FUNCTION mailbox_tidy(timestamptz, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mailbox_tidy(timestamptz, bigint) TO verpost_bounced;
