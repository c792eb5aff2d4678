"""What segments do to campaigns: which ones a change of a segment touches, and how loudly nobody is told; and what is left of an index that was not waited for."""

import signal
import subprocess

from verpost import BIN, until


def notes(world, *arguments):
    """What a call that must succeed says beside its data."""
    done = world.run("listctl", *arguments)
    assert done.returncode == 0, done
    return done.stderr


def readers(world):
    world.setup()
    world.listctl("list", "create", "shop", "--from", "shop@example.test")
    world.listctl("import", "news", world.file("n.csv", "email,plan\nann@example.test,pro\nbob@example.test,free\n"))
    world.listctl("import", "shop", world.file("s.csv", "email,plan\ncat@example.test,pro\n"))
    world.listctl("segment", "create", "pros", "--where", '$.plan == "pro"')


def test_a_change_names_its_campaigns(world):
    "`segment edit` names each campaign that has not started, with how many it would go to now, and warns where that is nobody; others are not named."
    readers(world)
    world.campaign("draft", segment="pros", start=False)
    world.campaign("without", exclude_segment="pros", start=False)
    world.campaign("both", segment="pros", also_list="shop", start=False)
    world.listctl("campaign", "schedule", "both", "--at", "2040-01-31 08:00", "--zone", "UTC")
    world.campaign("gone", segment="pros", start=False)
    world.sql("UPDATE campaign SET state = 'finished', audience = 1, started_at = now(), ended_at = now() WHERE name = 'gone'")
    world.campaign("plain", start=False)
    said = notes(world, "segment", "edit", "pros", "--where", 'exists($.plan)').splitlines()
    assert said[1:] == ["campaign both, scheduled, is for segment pros and would go to 3 people now",
                        "campaign draft, a draft, is for segment pros and would go to 2 people now",
                        "listctl: campaign without, a draft, leaves out segment pros and would go to nobody now;"
                        " `listctl campaign audience without` shows why"], said
    said = notes(world, "segment", "edit", "pros", "--where", '$.plan == "none"', "--quiet").splitlines()
    assert [line.split(" and ")[0] for line in said] == ["listctl: campaign both, scheduled, is for segment pros",
                                                         "listctl: campaign draft, a draft, is for segment pros"], said


def test_whom_it_is_for_is_shown(world):
    "`campaign show` and `status` name the further lists, the segments and what is left out, also when a segment is removed later."
    readers(world)
    world.listctl("segment", "create", "frees", "--where", '$.plan == "free"')
    world.campaign("all", segment="pros,frees", also_list="shop", start=False)
    world.campaign("less", exclude_segment="frees", exclude_list="shop", start=False)
    world.campaign("plain", start=False)
    names = ("list", "also_lists", "segments", "excluded_lists", "excluded_segments")
    expected = {"all": ("news", "shop", "pros, frees", None, None), "less": ("news", None, None, "shop", "frees"), "plain": ("news", None, None, None, None)}
    for campaign, told in expected.items():
        for verb in ("show", "status"):
            shown = world.json("campaign", verb, campaign)
            assert tuple(shown[name] for name in names) == told, shown
    world.sql("UPDATE campaign SET state = 'canceled', ended_at = now()")
    world.listctl("segment", "rm", "frees")
    assert world.json("campaign", "status", "all")["segments"] == "pros, frees"


def test_nobody_is_loud(world):
    "A campaign that starts with nobody in its audience says so when it is started and scheduled, in sender's log, in status, show and watch."
    readers(world)
    world.campaign("empty", segment="pros", exclude_segment="pros", start=False)
    world.campaign("some", segment="pros", start=False)
    for verb in (("start",), ("schedule", "--at", "2040-01-31 08:00", "--zone", "UTC")):
        assert "nobody is in the audience of empty now" in notes(world, "campaign", verb[0], "empty", *verb[1:])
        assert "nobody is in" not in notes(world, "campaign", verb[0], "some", *verb[1:])
    world.mailworld("")
    world.start("sender")
    for campaign in ("empty", "some"):
        world.listctl("campaign", "start", campaign)
        world.finished(campaign)
    number = world.value("SELECT id FROM campaign WHERE name = 'empty'")
    lines = [line for line in world.log("sender").splitlines() if "event=campaign.empty" in line]
    assert len(lines) == 1 and "level=warning" in lines[0] and f" id={number}" in lines[0], lines
    for verb in ("status", "show"):
        assert "nobody was in the audience of empty when it started" in notes(world, "campaign", verb, "empty")
        assert "nobody was in" not in notes(world, "campaign", verb, "some")
    assert "finished 0 of 0; nobody was in its audience" in world.listctl("campaign", "watch", "empty")


INDEX = "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname ~ '^segment_[0-9]+$'"
MAKING = "SELECT pid FROM pg_stat_progress_create_index WHERE index_relid <> 0"


def break_off(world, signal_number):
    """`segment index pros` ended by that signal, while a writer keeps the database from going on with it; what it said, and how the writer ends."""
    holding = world.holding("UPDATE subscriber SET name = 'x' WHERE address_key = 'ann@example.test'")
    commit = holding.__enter__()
    process = subprocess.Popen([BIN / "listctl", "--config", world.config, "segment", "index", "pros"], stderr=subprocess.PIPE, text=True)
    until(lambda: world.value(MAKING), "the index to be begun")
    process.send_signal(signal_number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == (-signal.SIGKILL if signal_number == signal.SIGKILL else 128 + signal_number), (process.returncode, said)

    def end():
        commit()
        holding.__exit__(None, None, None)
    return said, end


def test_an_index_goes_on_without_its_caller(world):
    "Interrupted, `segment index` says that the database goes on; that is shown, not begun twice, and stopped by --drop."
    readers(world)
    said, end = break_off(world, signal.SIGTERM)
    assert "the database goes on making the index of segment pros; `listctl segment index pros --drop` stops it" in said, said
    assert "the index of segment pros is being made" in notes(world, "segment", "show", "pros")
    world.refused("segment", "index", "pros", says=["is being made already", "--drop"])
    drop = subprocess.Popen([BIN / "listctl", "--config", world.config, "segment", "index", "pros", "--drop"])
    until(lambda: not world.value(MAKING), "the making to be stopped")
    end()
    assert drop.wait(60) == 0 and world.value(INDEX) is None
    said, end = break_off(world, signal.SIGKILL)
    end()
    until(lambda: world.value(INDEX) == "t", "the database to finish alone")
    assert world.json("segment", "show", "pros")["segment"]["index"] is True


def test_an_index_broken_off_is_told_and_made_anew(world):
    "What an index that was broken off has left is warned of, and made anew or taken away by the next call; also by a new predicate."
    readers(world)
    again = (("segment", "index", "pros"), ("segment", "edit", "pros", "--where", '$.plan == "it\'s \\\\ pro"'), ("segment", "index", "pros", "--drop"))
    for number, arguments in enumerate(again):
        _, end = break_off(world, signal.SIGKILL)
        world.sql(f"SELECT pg_cancel_backend({world.value(MAKING)})")
        until(lambda: not world.value(MAKING), "the making to be broken off")
        end()
        assert world.value(INDEX) == "f"
        for verb in (("show", "pros"), ("ls",)):
            said = notes(world, "segment", *verb)
            assert "the index of segment pros was broken off" in said and "makes it anew" in said, said
        assert world.json("segment", "ls")[0]["index"] is False
        world.listctl(*arguments)
        assert world.value(INDEX) == (None if number == 2 else "t")
        assert world.json("segment", "ls")[0]["index"] is (number != 2)
        assert "broken off" not in notes(world, "segment", "show", "pros")
        world.listctl("segment", "index", "pros", "--drop")
