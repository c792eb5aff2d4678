-- verpost 041: a list's own policy.
--
-- A bounce is the address's, the verdict is the membership's, by its list's policy. Where a list has no row about a reason, the default of
-- lib/mail/policy holds. Programs of the release before judge every list by the default.
CREATE TABLE list_policy (
    list_id bigint NOT NULL REFERENCES list,
    reason text NOT NULL,
    failures integer NOT NULL CHECK (failures BETWEEN 0 AND 1000), -- so many failed messages in a row; 0: it never counts
    days integer NOT NULL CHECK (days BETWEEN 0 AND 3650),         -- at least so many between the first and the last
    PRIMARY KEY (list_id, reason)
);
GRANT SELECT ON list_policy TO verpost_sender, verpost_bounced;
INSERT INTO erasable (deed, place, said) VALUES ('never', 'list_policy', 'reason');
