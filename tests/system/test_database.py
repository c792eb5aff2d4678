"""The database: made, brought up to date and looked at by `listctl db`, and refused by every program when it is not theirs."""

import subprocess

from verpost import Failure, until

DAEMONS = ["sender", "bounced"]


def must_refuse(world, program, *says):
    """The daemon ends by itself with an error that holds every text."""
    done = world.run(program)
    missing = [text for text in says if text not in done.stderr]
    if done.returncode == 0 or missing:
        raise Failure(f"{program} ended with {done.returncode}, without {missing}:\n{done.stdout}{done.stderr}")


def test_init_status_upgrade(world):
    "A database is made once, says what it is, and an upgrade without anything to do does nothing."
    status = world.json("db", "status")
    assert status["database"]["state"] == "empty", status
    world.refused("db", "upgrade", says="listctl db init")
    world.refused("list", "ls", says="listctl db init")
    world.listctl("db", "init")
    status = world.json("db", "status")
    assert status["database"]["state"] == "current", status
    assert all(row["applied_at"] and not row["altered"] for row in status["migrations"]), status
    world.refused("db", "init", says=["initialised already", status["database"]["instance"]])
    world.listctl("db", "upgrade")
    assert world.json("db", "status") == status
    assert world.value("SELECT count(*) FROM instance") == "1"


def test_fresh_database_refuses_daemons(world):
    "Without `db init` a daemon ends and says what to run."
    world.listctl("db", "init")
    world.listctl("key", "new")
    world.sql("DROP SCHEMA verpost CASCADE")
    for program in DAEMONS:
        must_refuse(world, program, "not initialised", "listctl db init")


def test_wrong_database_refuses_daemons(world):
    "Keys of another database, a newer database, fsync off: each daemon ends and says why."
    world.setup()
    keys = (world.base / "keys").read_text()
    instance = world.value("SELECT id FROM instance")
    (world.base / "keys").write_text(keys.replace(instance, "00000000-0000-4000-8000-000000000000"))
    for program in DAEMONS:
        must_refuse(world, program, "instance", instance)
    (world.base / "keys").write_text(keys)
    world.sql("UPDATE instance SET oldest_program = 1000, schema_version = 1000")
    for program in DAEMONS:
        must_refuse(world, program, "no longer serves")
    world.refused("list", "ls", says="no longer serves")
    world.sql("UPDATE instance SET oldest_program = 1")
    world.listctl("list", "ls")
    world.sql("ALTER SYSTEM SET fsync = off")
    world.postgres("stop")
    world.postgres("start")
    for program in DAEMONS:
        must_refuse(world, program, "fsync=off")


def test_altered_migration(world):
    "A migration that was applied with another text is shown, and no upgrade goes on top of it."
    world.setup()
    world.sql("UPDATE schema_migration SET sha256 = sha256('another text')")
    status = world.json("db", "status")
    assert status["database"]["state"] == "altered" and status["migrations"][0]["altered"], status
    world.refused("db", "upgrade", says="listctl db status")


def test_database_away(world):
    "With PostgreSQL stopped listctl says so and changes nothing; daemons wait for it."
    world.setup()
    world.postgres("stop")
    world.refused("list", "ls", says="PostgreSQL")
    for program in DAEMONS:
        world.start(program, ready=False)
    until(lambda: all("database" in world.log(program) or "PostgreSQL" in world.log(program) for program in DAEMONS),
          "both daemons say that PostgreSQL is away")
    assert all(world.processes[program].poll() is None for program in DAEMONS)
    world.postgres("start")
    world.listctl("list", "ls")
    for program in DAEMONS:
        world.stop(program)


def test_roles_are_least_privilege(world):
    "What a daemon's role must not do, the database refuses."
    world.setup()
    attempts = {
        "verpost_sender": ["DELETE FROM delivery", "UPDATE delivery SET attempts = 9", "DELETE FROM subscriber",
                           "UPDATE subscriber SET address = 'x'", "UPDATE list SET title = 'x'", "DROP TABLE list",
                           "SELECT * FROM bounce_raw", "INSERT INTO membership (list_id, subscriber_id) VALUES (1, 1)"],
        "verpost_bounced": ["INSERT INTO delivery DEFAULT VALUES", "DELETE FROM bounce_event", "DELETE FROM delivery",
                            "UPDATE campaign SET state = 'paused'", "SELECT message FROM mailbox_message",
                            "UPDATE bounce_event SET kind = 'delay'", "UPDATE subscriber SET address = 'x'",
                            "CREATE TABLE verpost.mine ()"],
    }
    for role, statements in attempts.items():
        for statement in statements:
            done = subprocess.run(["psql", f"{world.conninfo} user={role}", "-AtXq", "-v", "ON_ERROR_STOP=1", "-v",
                                   "VERBOSITY=verbose", "-c", "SET search_path = verpost", "-c", statement],
                                  capture_output=True, text=True)
            # 42501: no right to it; a generated id column says 428C9.
            if done.returncode == 0 or ("42501" not in done.stderr and "428C9" not in done.stderr):
                raise Failure(f"{role} was allowed: {statement}\n{done.stdout}{done.stderr}")


def test_init_without_the_right(world):
    "A role that may not make a schema is refused, and nothing is left behind."
    world.sql("CREATE ROLE clerk LOGIN")
    world.configure(**{"database.conninfo": world.conninfo + " user=clerk"})
    world.refused("db", "init", says="42501")
    assert world.value("SELECT to_regnamespace('verpost') IS NULL") == "t"
    assert world.value("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'verpost%'") == "0"
