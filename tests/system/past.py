"""A past written straight into the tables: campaigns that were sent and reports that came back, for tests of what people ask about
them. Whoever tests sending and receiving uses the daemons."""


def sent(world, name, outcomes, list_name="news", days_ago=1, state="finished", pending=()):
    """A started campaign. outcomes: {address: "accepted" | "refused" | "expired" | "skipped" | "deferred" | "in_doubt"}; pending: addresses whose
    turn has not come. Returns its id."""
    audience = len(outcomes) + len(pending)
    ended = "now()" if state in ("finished", "canceled") else "NULL"
    held = "'held by a test'" if state == "paused" else "NULL"
    world.sql("INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at, ended_at,"
              f" hold_reason) SELECT '{name}', id, 's', 'news@example.test', 't', '{state}', {audience},"
              f" now() - interval '{days_ago} days', {ended}, {held} FROM list WHERE name = '{list_name}'")
    campaign = int(world.value(f"SELECT id FROM campaign WHERE name = '{name}'"))
    rows = {"accepted": (250, "NULL", "250 2.0.0 queued"), "refused": (550, "'user-unknown'", "550 5.1.1 no such user"),
            "expired": (451, "'rate-limited'", "451 4.7.1 try later"), "skipped": ("NULL", "'suppressed'", "")}
    for address, outcome in outcomes.items():
        if outcome in rows:
            code, reason, reply = rows[outcome]
            world.sql("INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at, code, reason, reply)"
                      f" SELECT {campaign}, id, '{outcome}', 1, now() - interval '{days_ago} days', {code}, {reason}, '{reply}'"
                      f" FROM subscriber WHERE address_key = '{address}'")
        else:
            world.sql("INSERT INTO deferral (campaign_id, subscriber_id, state, attempts, first_attempt_at, last_attempt_at,"
                      f" next_attempt_at, key_id, day, date_at) SELECT {campaign}, id, '{outcome}', 1, now(), now(),"
                      f" now() + interval '1 hour', 0, 1, now() FROM subscriber WHERE address_key = '{address}'")
    everybody = list(outcomes) + list(pending)
    ids = "SELECT array_agg(id ORDER BY id) FROM subscriber WHERE address_key IN ('" + "', '".join(everybody) + "')"
    done = "true" if not pending else "false"
    opened = len(outcomes) if pending else audience
    if everybody:
        world.sql("INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids, opened, done, key_id, day, date_at)"
                  f" VALUES ({campaign}, 0, ({ids}), {opened}, {done}, 0, 1, now())")
    return campaign


def came_back(world, campaign, address, reason="user-unknown", kind="bounce-hard", diagnostic="550 5.1.1 no such user",
              recipient=None, days_ago=0, raw=None, source="report"):
    """A report about that campaign's copy for the address, already judged. Returns the event's id."""
    recipient = f"'{recipient or address}'"
    event = int(world.value("SELECT nextval('bounce_event_id')"))
    world.sql("INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, status,"
              " code, diagnostic, recipient, reporting_mta, rule, judged_at)"
              f" SELECT {campaign}, {event}, id, sha256('{event}'::bytea), '{source}', now() - interval '{days_ago} days',"
              f" '{kind}', '{reason}', '5.1.1', 550, '{diagnostic}', {recipient}, 'mx.example.test', 'test-rule', now()"
              f" FROM subscriber WHERE address_key = '{address}'")
    if raw is not None:
        world.sql(f"INSERT INTO bounce_raw (campaign_id, event_id, message) VALUES ({campaign}, {event}, '\\x{raw.hex()}')")
    return event


def disable(world, address, campaign, reason="user-unknown", list_name="news"):
    """What the verdict does to a membership."""
    world.sql(f"UPDATE membership m SET state = 'disabled', reason = '{reason}', since = now(), campaign_id = {campaign}"
              f" FROM subscriber s, list l WHERE s.id = m.subscriber_id AND s.address_key = '{address}'"
              f" AND l.id = m.list_id AND l.name = '{list_name}'")


def dead(world, campaign, address, **how):
    """A report and its consequence."""
    event = came_back(world, campaign, address, **how)
    disable(world, address, campaign, how.get("reason", "user-unknown"))
    return event


def state(world, address, list_name="news"):
    return world.value("SELECT m.state FROM membership m JOIN subscriber s ON s.id = m.subscriber_id JOIN list l ON l.id = m.list_id"
                       f" WHERE s.address_key = '{address}' AND l.name = '{list_name}'")


def audited(world, action):
    """How often it stands in the audit."""
    return int(world.value(f"SELECT count(*) FROM audit WHERE action = '{action}'"))
