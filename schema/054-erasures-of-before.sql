-- verpost 054: what the audit said of people who were erased before schema/050.
--
-- Only the addresses were taken out of such rows: reasons, consents and names of attributes stayed. Whose rows they are nobody can tell any more.

UPDATE audit SET detail = '{}' WHERE subject = 'subscriber:erased' AND subscriber_id IS NULL AND detail <> '{}';
