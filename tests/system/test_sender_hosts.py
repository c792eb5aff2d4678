"""Several senders on one database, and what they do with journals that are damaged, strange or in use."""

import os
import signal

from sending import check, doubtful, people, until_accepted, workers
from verpost import until

AUDIENCE = people(4200)  # more chunks than workers
SOME = AUDIENCE[:1200]


def begin(world, audience, **settings):
    world.setup()
    world.subscribe(audience)
    world.configure(**{"sender.window": 40, "sender.lease": "2s", **settings})
    world.mailworld("* accept slow 5\n")
    world.start("sender")


def second(world, folder):
    """Another sender, as on another host when it has a folder of its own."""
    first = world.processes.pop("sender")
    world.processes["first"], world.logs["first"] = first, world.logs["sender"]
    world.config = world.file("second.conf", world.config.read_text().replace(f"dir = {world.base}/journal", f"dir = {folder}"))
    log = world.base / "sender.log"
    log.rename(world.base / "first.log")
    world.logs["first"] = world.base / "first.log"
    return world.start("sender")


def kill_group(world, name):
    process = world.processes.pop(name)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()



def test_one_host_lost(world):
    "Two hosts, one is lost with its disk: forgetting its workers makes exactly its opened recipients doubtful, and the other ends it."
    begin(world, AUDIENCE)
    folder = world.base / "journal2"
    folder.mkdir()
    mine = {row[0] for row in until(lambda: (lambda r: r if len(r) == 2 else None)(world.sql("SELECT id FROM worker")), "workers")}
    second(world, folder)
    until(lambda: world.value("SELECT count(*) FROM worker") == "4", "four workers")
    world.campaign("hosts")
    until_accepted(world, 400)
    kill_group(world, "sender")
    for journal in folder.glob("*.journal"):
        journal.unlink()
    lost = [row[0] for row in world.sql("SELECT id FROM worker") if row[0] not in mine]
    names = ", ".join(f"'{worker}'" for worker in lost)
    opened = {row[0] for row in world.sql(
        "SELECT s.address FROM chunk_window w JOIN campaign_chunk k USING (campaign_id, chunk_no)"
        " CROSS JOIN LATERAL unnest(k.subscriber_ids[w.first:w.last]) AS a(id) JOIN subscriber s ON s.id = a.id"
        f" WHERE w.worker_id IN ({names}) AND NOT EXISTS (SELECT FROM delivery d WHERE d.campaign_id = w.campaign_id"
        " AND d.subscriber_id = a.id)")}
    assert opened, "nothing was open"
    world.refused("worker", "forget", next(iter(mine)), says=["was last heard of", "once its sender has stopped"])
    world.sql(f"UPDATE worker SET seen_at = seen_at - interval '1 day' WHERE id IN ({names})")
    for worker in lost:
        world.listctl("worker", "forget", worker, "--yes")
    assert doubtful(world, "hosts") == opened
    world.finished("hosts")
    check(world, "hosts", AUDIENCE)
    assert doubtful(world, "hosts") == opened


def test_same_folder(world):
    "Two senders with the same journal.dir: each worker has a journal of its own, and one that is killed is taken over by nobody alive."
    begin(world, AUDIENCE)
    until(lambda: world.value("SELECT count(*) FROM worker") == "2", "workers")
    second(world, world.base / "journal")
    until(lambda: world.value("SELECT count(*) FROM worker") == "4", "four workers")
    world.campaign("hosts")
    until_accepted(world, 300)
    world.kill(workers(world)[0])
    until_accepted(world, 700)
    kill_group(world, "first")
    until_accepted(world, 900)
    world.stop("sender")
    world.start("sender")
    world.finished("hosts")
    check(world, "hosts", AUDIENCE)
    world.stop("sender")


def test_damaged_journal(world):
    """A journal damaged in its middle is reported, left as it is and not guessed at: its recipients wait until a person forgets
    its worker."""
    begin(world, SOME, **{"sender.workers": 1})
    world.campaign("hosts")
    until_accepted(world, 300)
    kill_group(world, "sender")
    path = world.base / "journal/worker-0.journal"
    whole = path.read_bytes()
    middle = 4096 + 16 + 8  # in the first record of the first half
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0xff]) + whole[middle + 1:])
    damaged = path.read_bytes()
    worker = world.value("SELECT id FROM worker")
    opened = world.value(f"SELECT count(*) FROM chunk_window WHERE worker_id = '{worker}'")
    assert opened != "0", "nothing was open"
    world.start("sender")
    until(lambda: world.status("hosts")["pending"] <= 80 and world.status("hosts")["state"] == "running", "the rest is sent")
    until(lambda: world.value("SELECT count(*) FROM chunk_window WHERE worker_id IS NULL"
                              f" OR worker_id <> '{worker}'") == "0", "only the lost windows are left")
    assert world.log("sender").count("event=journal.refused") >= 1, world.log("sender")
    assert f"event=journal.refused worker={worker}" in world.log("sender")
    waits, = world.status("hosts")["stranded"]
    assert waits["worker"] == worker and waits["recipients"] == world.status("hosts")["pending"], waits
    told = world.listctl("campaign", "status", "hosts")
    for text in ("is damaged before its end", str(path), "worker forget"):
        assert text in waits["reason"] and text in " ".join(told.split()), (text, waits, told)
    assert path.read_bytes() == damaged, "the damaged journal was written to"
    assert world.status("hosts")["pending"] > 0
    assert world.value(f"SELECT count(*) FROM chunk_window WHERE worker_id = '{worker}'") == opened
    world.sql(f"UPDATE worker SET seen_at = seen_at - interval '1 day' WHERE id = '{worker}'")
    world.listctl("worker", "forget", worker, "--yes")
    assert world.finished("hosts")["stranded"] == []
    check(world, "hosts", SOME)


def test_strange_journal(world):
    "The journal of another database is not used and not touched; the worker makes one of its own."
    begin(world, SOME[:200], **{"sender.workers": 1})
    until(lambda: world.value("SELECT count(*) FROM worker") == "1", "a worker")
    world.stop("sender")
    path = world.base / "journal/worker-0.journal"
    strange = path.read_bytes()
    world.sql("DELETE FROM worker")
    old = world.value("SELECT id FROM instance")
    new = "00000000-0000-4000-8000-000000000001"
    world.sql(f"UPDATE instance SET id = '{new}'")
    keys = world.base / "keys"
    keys.write_text(keys.read_text().replace(old, new))
    world.start("sender")
    world.campaign("hosts")
    world.finished("hosts")
    check(world, "hosts", SOME[:200], may_doubt=False)
    assert "another database" in world.log("sender"), world.log("sender")
    assert path.read_bytes() == strange


def test_clocks_differ(world):
    "A first attempt that another host's clock dates into the future: the retry is written down all the same."
    world.setup()
    world.subscribe(AUDIENCE[:20])
    world.configure(**{"sender.workers": 1, "sender.retry_after": "1s"})
    world.mailworld('* defer 2 451 4.2.1 "Later"\n')
    world.campaign("hosts")
    world.start("sender")
    until(lambda: world.status("hosts")["deferred"] == 20, "all wait for another attempt")
    world.sql("UPDATE deferral SET first_attempt_at = now() + interval '1 hour', last_attempt_at = now() + interval '1 hour'"
              " WHERE opened_by IS NULL")
    world.finished("hosts")
    check(world, "hosts", AUDIENCE[:20], may_doubt=False)


def test_deleted_journal(world):
    """A journal that was deleted while sender was stopped: status says so and what can be done, and put back under another name it is gone
    on with."""
    begin(world, SOME, **{"sender.workers": 1})
    world.campaign("hosts")
    until_accepted(world, 300)
    kill_group(world, "sender")
    path = world.base / "journal/worker-0.journal"
    path.rename(world.base / "away")
    worker = world.value("SELECT id FROM worker")
    world.sql("UPDATE worker SET seen_at = seen_at - interval '1 day'")
    world.start("sender")
    waits = until(lambda: next((w for w in world.status("hosts")["stranded"] if "is gone" in w["reason"]), None), "it is told")
    for text in (worker, str(path), "deleted", f"worker forget {worker}", "worker-99.journal"):
        assert text in waits["reason"], (text, waits)
    assert f"event=journal.refused worker={worker}" in world.log("sender")
    world.stop("sender")
    (world.base / "away").rename(world.base / "journal/worker-99.journal")
    world.start("sender")
    assert world.finished("hosts")["stranded"] == []
    check(world, "hosts", SOME)
    world.stop("sender")
