"""A worker is its journal, and a journal can be copied: a cloned machine, a folder put back from a snapshot, a disk that moves to another host.
Nobody gets anything twice who is not named in doubt."""

import shutil

from hosts import Host, forget
from sending import check, doubtful, people, until_accepted
from verpost import until

AUDIENCE = people(1200)


def begin(world, lease, audience=AUDIENCE):
    world.setup()
    world.subscribe(audience)
    world.configure(**{"sender.workers": 1, "sender.lease": lease})
    world.mailworld("* accept slow 20\n")
    first = Host(world, "first").start()
    until(first.ids, "a worker")
    world.campaign("copies")
    until_accepted(world, 100)
    return first


def copied(world, first, name):
    """Another host with a copy of the first one's folder."""
    host = Host(world, name)
    shutil.copytree(first.folder, host.folder, dirs_exist_ok=True)
    return host


def test_copied_while_it_lives(world):
    "A folder that is copied while its worker sends is not gone on with: the copy is told of, and its host has a worker of its own."
    first = begin(world, "60s")
    worker, = first.ids()
    second = copied(world, first, "second").start()
    until(lambda: f"event=journal.refused worker={worker}" in second.log(), "the copy is refused")
    for text in ("is older than the database", "remove this copy", str(first.folder), f"worker forget {worker}"):
        assert text in second.log(), (text, second.log())
    until(second.ids, "the second host has a worker")
    world.finished("copies")
    assert "event=worker.replaced" not in first.log() + second.log()
    assert check(world, "copies", AUDIENCE) == set()
    assert world.value(f"SELECT refused IS NULL FROM worker WHERE id = '{worker}'") == "t", "it lives"


def test_put_back_from_a_snapshot(world):
    "A folder that is put back as it was some seconds before is refused: who was open is in doubt once its worker is forgotten, nobody else."
    first = begin(world, "2s")
    worker, = first.ids()
    shutil.copytree(first.folder, world.base / "snapshot")
    until_accepted(world, 400)
    first.kill()
    shutil.rmtree(first.folder)
    shutil.copytree(world.base / "snapshot", first.folder)
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    opened = {row[0] for row in world.sql(
        "SELECT s.address FROM chunk_window w JOIN campaign_chunk k USING (campaign_id, chunk_no)"
        " CROSS JOIN LATERAL unnest(k.subscriber_ids[w.first:w.last]) AS a(id) JOIN subscriber s ON s.id = a.id"
        " WHERE NOT EXISTS (SELECT FROM delivery d WHERE d.campaign_id = w.campaign_id AND d.subscriber_id = a.id)")}
    assert opened, "nothing was open"
    first.start()
    until(lambda: f"event=journal.refused worker={worker}" in first.log(), "the journal is refused")
    waits = until(lambda: next((w for w in world.status("copies")["stranded"] if "older than the database" in w["reason"]), None), "it is told")
    assert waits["worker"] == worker and f"worker forget {worker}" in waits["reason"], waits
    assert (first.folder / "worker-0.journal").read_bytes() == before["worker-0.journal"], "it was written to"
    forget(world, [worker])
    world.finished("copies")
    check(world, "copies", AUDIENCE)
    assert doubtful(world, "copies") == opened


def test_journal_on_another_disk(world):
    "A folder that moves to another disk is gone on with once the lease of the process that had it is over, and not before."
    first = begin(world, "8s")
    worker, = first.ids()
    first.kill()
    quiet = "SELECT extract(epoch FROM now() - seen_at) FROM worker"
    second = copied(world, first, "second").start()
    shutil.rmtree(first.folder)
    until(lambda: "event=worker.waits" in second.log(), "it waits")
    for text in ("which may still run", "remove it", worker):
        assert text in second.log(), (text, second.log())
    assert "event=journal.recovered" not in second.log() or float(world.value(quiet)) < 1
    until(lambda: "event=journal.recovered" in second.log(), "it is gone on with")
    world.finished("copies")
    check(world, "copies", AUDIENCE)
    assert second.ids() == [worker], "the same worker"


def test_same_journal_at_once(world):
    """Who is killed goes on at once with the journal that stayed where it was, long before the lease is over: also in a container, which has
    another host name each time."""
    first = begin(world, "2h")
    worker, = first.ids()
    for name in (None, "another-name"):
        first.kill()
        if name:
            world.sql(f"UPDATE worker SET host = '{name}', pid = 1")
        recovered = first.log().count("event=journal.recovered")
        first.start()
        until(lambda: first.log().count("event=journal.recovered") > recovered, "it goes on")
    world.finished("copies")
    assert "event=worker.waits" not in first.log() and first.ids() == [worker]
    check(world, "copies", AUDIENCE)


def test_replaced(world):
    "A worker that another process has taken up meanwhile stops, and writes nothing more."
    first = begin(world, "2s")
    worker, = first.ids()
    child, = first.workers()
    world.sql("UPDATE worker SET epoch = epoch + 1")
    until(lambda: f"event=worker.replaced worker={worker}" in first.log(), "it stops")
    until(lambda: child not in first.workers(), "it ends")
    turn = world.value(f"SELECT turn FROM worker WHERE id = '{worker}'")
    until(lambda: f"event=journal.refused worker={worker}" in first.log(), "its journal is too old")
    until(lambda: len(world.sql("SELECT id FROM worker")) == 2, "a new worker takes its place")
    assert world.value(f"SELECT turn FROM worker WHERE id = '{worker}'") == turn
    forget(world, [worker])
    world.finished("copies")
    check(world, "copies", AUDIENCE)


def test_empty_handed_copy(world):
    "A copy that is older, of a worker that has nobody in hand, is void: it is removed, and its host has a worker of its own."
    world.setup()
    world.configure(**{"sender.workers": 1})
    first = Host(world, "first").start()
    worker, = until(first.ids, "a worker")
    second = copied(world, first, "second")
    turn = world.value("SELECT turn FROM worker")
    until(lambda: int(world.value("SELECT turn FROM worker")) > int(turn) + 1, "it goes on")
    second.start()
    until(lambda: f"event=journal.void path={second.folder}/worker-0.journal worker={worker}" in second.log(), "it is void")
    assert worker not in until(second.ids, "the second host has a worker")
    assert first.ids() == [worker]
