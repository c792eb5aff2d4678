"""bounced and a PostgreSQL that goes away: nothing is lost, nothing is counted twice."""

import signal
import smtplib
import threading
import time

from returns import *
from verpost import until


class Peer(threading.Thread):
    """A mail host with reports to hand over: it tries each until it hears 250, as a real one does, though faster.

    `gates` part its reports into as many shares and one: it goes on to the next share when the event between them is set."""

    def __init__(self, world, campaign, ids, gates=()):
        super().__init__(daemon=True)
        self.world, self.campaign, self.ids, self.gates = world, campaign, ids, gates
        self.answered, self.refused, self.failure = 0, 0, None
        self.connection = None

    def hand_over(self, person):
        if self.connection is None:
            self.connection = smtplib.SMTP("127.0.0.1", self.world.bounced_port, "peer.test", timeout=60)
        self.connection.sendmail("", [return_path(self.world, self.campaign, person)], dsn(**FULL, mark=str(person)))

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None
        time.sleep(0.1)

    def insist(self, person):
        while True:
            try:
                self.hand_over(person)
                self.answered += 1
                return
            except smtplib.SMTPResponseException as reply:
                if reply.smtp_code // 100 != 4:
                    raise
                self.refused += 1
                self.hang_up()
            except (OSError, smtplib.SMTPServerDisconnected):
                self.hang_up()

    def run(self):
        try:
            share = len(self.ids) // (len(self.gates) + 1)
            for index, person in enumerate(self.ids):
                if index > 0 and index % share == 0 and index // share <= len(self.gates):
                    self.gates[index // share - 1].wait()
                self.insist(person)
        except Exception as failure:
            self.failure = failure


def test_postgres_killed_while_reports_arrive(world):
    "PostgreSQL is stopped at once, twice, while reports arrive: in the end each is stored exactly once and nobody heard 5xx."
    ids, campaign = people(world, 240)
    world.start("bounced")
    killed = [threading.Event(), threading.Event()]
    peers = [Peer(world, campaign, ids[i::4], killed) for i in range(4)]
    for peer in peers:
        peer.start()
    for outage, share in enumerate((80, 160)):
        until(lambda: int(world.value("SELECT count(*) FROM bounce_event")) == share, "a share of the reports is in")
        world.postgres("kill")
        before = sum(peer.refused for peer in peers)
        killed[outage].set()
        until(lambda: sum(peer.refused for peer in peers) > before, "the peers hear 451")
        world.postgres("start")
    for peer in peers:
        peer.join(120)
    assert all(peer.failure is None for peer in peers), [peer.failure for peer in peers]
    assert sum(peer.answered for peer in peers) == len(ids)
    assert world.value("SELECT count(*) FROM bounce_event") == str(len(ids))
    assert world.value("SELECT count(DISTINCT subscriber_id) FROM bounce_event") == str(len(ids))
    assert world.value("SELECT count(*) FROM bounce_raw") == str(len(ids))
    log = world.log("bounced")
    assert log.count("event=database.away") <= 4 and log.count("event=database.back") >= 2, log
    world.stop("bounced")


def test_committed_means_durable(world):
    "Each report answered 250 is there after PostgreSQL was stopped at once right behind the answer."
    ids, campaign = people(world, 5)
    world.start("bounced")
    for person in ids:
        deliver(world, "", return_path(world, campaign, person), dsn(mark=str(person)))
    world.postgres("kill")
    world.postgres("start")
    assert world.value("SELECT count(*) FROM bounce_event") == "5"
    assert world.value("SELECT count(*) FROM membership WHERE state = 'disabled'") == "5"


def test_answered_means_stored_in_a_crowd(world):
    "PostgreSQL is stopped at once while many sessions share its commits: whoever heard 250 finds the report there, and nobody heard 5xx."
    ids, campaign = people(world, 400)
    world.start("bounced")
    heard, wrong = [], []

    def hand_over_once(own):
        try:
            with smtplib.SMTP("127.0.0.1", world.bounced_port, "peer.test", timeout=60) as peer:
                for person in own:
                    peer.sendmail("", [return_path(world, campaign, person)], dsn(**FULL, mark=str(person)))
                    heard.append(person)
        except smtplib.SMTPResponseException as reply:
            if reply.smtp_code // 100 != 4:
                wrong.append(reply)
        except (OSError, smtplib.SMTPServerDisconnected) as failure:
            wrong.append(failure)

    threads = [threading.Thread(target=hand_over_once, args=(ids[i::20],), daemon=True) for i in range(20)]
    for thread in threads:
        thread.start()
    until(lambda: len(heard) >= 100, "reports are answered")
    world.postgres("kill")
    for thread in threads:
        thread.join(60)
    assert not wrong, wrong
    assert 100 <= len(heard) < len(ids), "PostgreSQL was stopped too late to tell anything"
    world.postgres("start")
    stored = {int(row[0]) for row in world.sql("SELECT subscriber_id FROM bounce_event")}
    assert set(heard) <= stored, set(heard) - stored


def failing(world, table, condition, code):
    "From now on the rows of the table for which the condition holds are refused by PostgreSQL with that SQLSTATE."
    world.sql("CREATE OR REPLACE FUNCTION verpost.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
              f" IF {condition} THEN RAISE EXCEPTION 'a test' USING ERRCODE = '{code}'; END IF; RETURN NEW; END $$")
    world.sql(f"CREATE TRIGGER fails BEFORE INSERT ON verpost.{table} FOR EACH ROW EXECUTE FUNCTION verpost.fail()")


def test_a_full_disk(world):
    "While PostgreSQL has no room the answer is 451; afterwards the same report is taken and counts."
    (one, *_), campaign = people(world, 1)
    world.start("bounced")
    failing(world, "bounce_raw", "true", "53100")
    path = return_path(world, campaign, one)
    deliver(world, "", path, dsn(), expected="451 4.3.0")
    assert events(world, one) == [] and membership(world, one)[0] == "active"
    world.sql("DROP TRIGGER fails ON verpost.bounce_raw")
    Peer(world, campaign, [one]).insist(one)
    assert len(events(world, one)) == 1
    assert "SQLSTATE 53100" in world.log("bounced")


def test_a_refused_row_holds_back_nobody(world):
    "What the database refuses for one message is answered 451 for that one only, whoever shared its commit."
    ids, campaign = people(world, 20)
    world.start("bounced")
    failing(world, "bounce_event_0", f"NEW.subscriber_id = {ids[7]}", "P0001")
    heard = {}

    def hand_over(person):
        try:
            deliver(world, "", return_path(world, campaign, person), dsn())
            heard[person] = "250"
        except Exception as failure:
            heard[person] = str(failure)

    threads = [threading.Thread(target=hand_over, args=(person,), daemon=True) for person in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert "451 4.3.0" in heard.pop(ids[7])
    assert set(heard.values()) == {"250"} and len(heard) == 19, heard
    assert world.value("SELECT count(*) FROM bounce_event") == "19"
    assert "event=record.refused" in world.log("bounced")


def test_a_late_commit_is_answered_451(world):
    "A commit that does not come within bounced.commit_timeout is answered 451; the peer's next attempt is counted once."
    (one, *_), campaign = people(world, 1)
    world.configure(**{"bounced.commit_timeout": "1s"})
    world.start("bounced")
    path = return_path(world, campaign, one)
    until(lambda: "event=bounced.listening" in world.log("bounced"), "the connection has been made ready")
    backend = world.value("SELECT pid FROM pg_stat_activity WHERE application_name = 'bounced'")
    world.kill(int(backend), signal.SIGSTOP)
    try:
        deliver(world, "", path, dsn(), expected="451 4.3.0")
    finally:
        world.kill(int(backend), signal.SIGCONT)
    deliver(world, "", path, dsn())
    assert len(events(world, one)) == 1


def test_sigterm_finishes_what_is_being_committed(world):
    "SIGTERM: the message that waits for its commit hears 250, the others 421, new ones nobody, and the exit is 0."
    (one, *_), campaign = people(world, 1)
    world.configure(**{"log.level": "debug"})
    world.start("bounced")
    idle, busy = talk(world), talk(world)
    backend = int(world.value("SELECT pid FROM pg_stat_activity WHERE application_name = 'bounced'"))
    busy.say("MAIL FROM:<>", "250")
    busy.say(f"RCPT TO:<{return_path(world, campaign, one)}>", "250")
    busy.say("DATA", "354")
    world.kill(backend, signal.SIGSTOP)
    busy.send(dsn().replace("\n", "\r\n") + ".\r\n")
    until(lambda: "event=record.handed" in world.log("bounced"), "the message is with the committer")
    world.processes["bounced"].send_signal(signal.SIGTERM)
    idle.expect("421")
    assert idle.closed()
    world.kill(backend, signal.SIGCONT)
    busy.expect("250")
    busy.expect("421")
    assert busy.closed()
    process = world.processes.pop("bounced")
    assert process.wait(60) == 0
    assert events(world, one) == [("bounce-hard", "user-unknown")]


def test_sigterm_does_not_wait_for_ever(world):
    "With a PostgreSQL that does not answer, SIGTERM ends bounced within seconds whatever bounced.commit_timeout is, and the peer hears 451."
    (one, *_), campaign = people(world, 1)
    world.configure(**{"log.level": "debug", "bounced.commit_timeout": "10m"})
    world.start("bounced")
    backend = int(world.value("SELECT pid FROM pg_stat_activity WHERE application_name = 'bounced'"))
    world.kill(backend, signal.SIGSTOP)
    peer = talk(world)
    peer.say("MAIL FROM:<>", "250")
    peer.say(f"RCPT TO:<{return_path(world, campaign, one)}>", "250")
    peer.say("DATA", "354")
    peer.send(dsn().replace("\n", "\r\n") + ".\r\n")
    until(lambda: "event=record.handed" in world.log("bounced"), "the message is with the committer")
    world.processes["bounced"].send_signal(signal.SIGTERM)
    peer.expect("451")
    peer.expect("421")
    assert peer.closed()
    world.stop("bounced", code=None)  # 0, or the leak checker's code: what the thread still uses is left to it
    world.kill(backend, signal.SIGCONT)
    assert "event=committer.abandoned" in world.log("bounced")
