"""Probes: before repeated failures disable a member, one letter asks, by its bounce or by silence, whether the address still receives."""

import email
import email.policy
import os
import re
import signal

import past
import signatures
from returns import FULL, arf, deliver, dsn
from verpost import until

ANN, BOB, CAT = "ann@example.test", "bob@example.test", "cat@example.test"


def soft_bouncers(world, *addresses, list_name="news"):
    """A list that sends probes, whose members fail for the second time of two when full() says so."""
    world.setup()
    world.subscribe([(a, a.split("@")[0].title()) for a in addresses])
    world.listctl("policy", "set", "news", "mailbox-full=2/1", "probe=on")
    first = past.sent(world, "first", {a: "accepted" for a in addresses}, days_ago=20)
    second = past.sent(world, "second", {a: "accepted" for a in addresses}, days_ago=3)
    for address in addresses:
        past.came_back(world, first, address, reason="mailbox-full", kind="bounce-soft", days_ago=19)
    return second


def person(world, address):
    return int(world.value(f"SELECT id FROM subscriber WHERE address_key = '{address}'"))


def full(world, campaign, address, mark):
    """The report about that campaign's copy, by its return path."""
    from returns import return_path
    deliver(world, "", return_path(world, campaign, person(world, address)), dsn(**FULL, mark=mark))


def probes(world):
    """The newest of each address."""
    return {row["email"]: row for row in reversed(world.json("probe", "ls"))}


def stands(world, address):
    return probes(world).get(address, {}).get("state")


def letters(world):
    """{address: (envelope sender, message)} of what the relay took."""
    taken = {}
    for path in sorted((world.base / "mailworld.mail").glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        address = message["To"].addresses[0].addr_spec
        assert address not in taken, f"two letters to {address}"
        taken[address] = (path.read_bytes(), message)
    return {entry["to"]: (entry["from"], *taken[entry["to"]]) for entry in world.accepted()}


def wait_days(world, days):
    """All that was sent and came back is so much longer ago."""
    for table, columns in (("probe_letter", ("asked_at", "try_at", "taken_at", "answered_at", "held_until")), ("delivery", ("at",)),
                           ("bounce_event", ("received_at",))):
        moved = ", ".join(f"{column} = {column} - interval '{days} days'" for column in columns)
        world.sql(f"SET session_replication_role = replica; UPDATE {table} SET {moved}")


def test_bounce_and_silence(world):
    "Soft bouncers are asked by one signed letter and get no campaigns; its bounce disables, with what was said; silence starts the count anew."
    verifiers = signatures.Verifiers(world)
    second = soft_bouncers(world, ANN, BOB, CAT)
    (world.base / "dkim").mkdir(mode=0o750)
    world.listctl("dkim", "new", "example.test", "--type", "rsa", "--selector", "s")
    world.mailworld("")
    world.start("bounced")
    full(world, second, ANN, "1")
    full(world, second, BOB, "2")
    full(world, second, BOB, "3")
    assert [past.state(world, a) for a in (ANN, BOB)] == ["active", "active"]
    assert {a: p["state"] for a, p in probes(world).items()} == {ANN: "due", BOB: "due"}, probes(world)
    assert {p["because_of"] for p in probes(world).values()} == {"mailbox-full"}

    world.start("sender")
    until(lambda: stands(world, ANN) == stands(world, BOB) == "sent", "both letters are with the relay")
    world.campaign("third")
    status = world.finished("third")
    assert (status["accepted"], status["skipped"], status["skipped_reasons"]) == (1, 2, {"probed": 2}), status
    sent = letters(world)
    assert set(sent) == {ANN, BOB, CAT}
    verdicts = verifiers.judge({a: raw for a, (_, raw, _) in sent.items()})
    assert all(all(verdict.values()) for verdict in verdicts.values()), verdicts
    path, _, letter = sent[ANN]
    assert str(letter["Subject"]) == "Does Example News still reach you?" and "Hello Ann," in letter.get_content(), letter
    assert str(letter["From"]) == "Example News <news@example.test>" and ANN in letter.get_content()
    assert re.search(r"mailto:unsubscribe\+\S+@bounce\.test", str(letter["List-Unsubscribe"])) and "List-Id" in letter
    waiting = world.run("listctl", "prune").stderr
    assert "not among them: 2" in waiting and "0 memberships would be removed" in waiting, waiting
    told = world.json("explain", ANN)
    assert "its probe is under way" in told["person"]["score"] and "until its probe is answered" in told["person"]["next"], told["person"]
    assert [(p["state"], p["outcome"]) for p in told["probes"]] == [("sent", None)], told["probes"]
    world.listctl("prune", "--apply")
    assert len(probes(world)) == 2 and past.state(world, ANN) == "active"

    # ann's comes back, as a full mailbox again; the same report twice is one
    for _ in range(2):
        deliver(world, "", path, dsn(**FULL, mark="probe"))
    assert [past.state(world, a) for a in (ANN, BOB)] == ["disabled", "active"]
    assert (stands(world, ANN), probes(world)[ANN]["outcome"], stands(world, BOB)) == ("bounced", "mailbox-full", "sent"), probes(world)
    assert "quota exceeded" in probes(world)[ANN]["answer"]
    told = world.json("explain", ANN)
    assert "its probe bounced" in told["memberships"][0]["score"], told["memberships"]
    assert [(row["email"], row["reason"]) for row in world.json("prune", "--each")] == [(ANN, "mailbox-full")]

    # bob's does not, for as long as the list says
    wait_days(world, 9)
    assert stands(world, BOB) == "sent"
    wait_days(world, 2)
    assert stands(world, BOB) == "silent"
    told = world.json("explain", BOB)
    assert told["person"]["score"] == "nothing counts against it" and told["person"]["next"] == "it gets mail", told["person"]
    assert "not among them" not in world.run("listctl", "prune").stderr
    world.campaign("fourth")
    status = world.finished("fourth")
    assert (status["accepted"], status["skipped"]) == (2, 0), status

    # a batch that is undone begins anew, and what came late about bob's letter still tells
    world.listctl("prune", "--apply", "--force")
    assert past.state(world, ANN) == "removed"
    world.listctl("undo", world.value("SELECT max(id) FROM prune_batch"))
    assert past.state(world, ANN) == "active" and world.json("prune", "--each") == []
    deliver(world, "", sent[BOB][0], dsn(mark="late"))
    assert (past.state(world, BOB), stands(world, BOB)) == ("disabled", "bounced")


def test_refused_by_the_relay(world):
    "A refusal of the address answers as a bounce would; one for now is tried again; one that is about us decides nothing, and neither does it hold."
    second = soft_bouncers(world, ANN, BOB, CAT)
    world.mailworld("ann@* refuse rcpt 550 5.1.1 \"No such user\"\nbob@* defer 1 450 4.2.1 \"try later\"\n"
                    "cat@* refuse dot 554 5.7.1 \"Message looks like spam\"\n")
    world.start("bounced")
    for mark, address in enumerate((ANN, BOB, CAT)):
        full(world, second, address, str(mark))
    world.start("sender")
    until(lambda: stands(world, ANN) == "bounced", "the refusal is the answer")
    assert past.state(world, ANN) == "disabled" and "No such user" in probes(world)[ANN]["answer"]
    until(lambda: stands(world, CAT) == "void", "a refusal of ours is none")
    assert probes(world)[CAT]["outcome"] == "spam-content" and past.state(world, CAT) == "active", probes(world)[CAT]
    until(lambda: "try later" in (probes(world)[BOB]["answer"] or ""), "put off")
    assert stands(world, BOB) == "due" and world.value("SELECT try_at > now() FROM probe_letter ORDER BY try_at DESC LIMIT 1") == "t"
    world.campaign("third")
    status = world.finished("third")
    assert status["skipped_reasons"] == {"probed": 1} and status["audience"] == 2, status
    world.sql("UPDATE probe_letter SET try_at = now()")
    until(lambda: stands(world, BOB) == "sent", "tried again")
    assert probes(world)[BOB]["tries"] == 2


def test_budget_and_those_who_left(world):
    "No more letters a day than the list says; who has left, is suppressed or has another address meanwhile gets none; a list without probes disables at once."
    people = [f"p{i}@example.test" for i in range(6)]
    second = soft_bouncers(world, *people)
    world.listctl("policy", "set", "news", "probe=10/2")
    world.listctl("list", "create", "shop", "--title", "Shop", "--from", "shop@example.test")
    world.subscribe(people[:1], list_name="shop")
    world.listctl("policy", "set", "shop", "mailbox-full=2/1")
    world.mailworld("")
    world.start("bounced")
    for mark, address in enumerate(people):
        full(world, second, address, str(mark))
    assert (past.state(world, people[0]), past.state(world, people[0], "shop")) == ("active", "disabled")
    assert len(probes(world)) == 6
    world.listctl("subscriber", "unsubscribe", "news", people[0])
    world.listctl("suppress", "add", people[1])
    world.listctl("subscriber", "move", people[2], "other@example.test")
    world.start("sender")
    until(lambda: sorted(p["state"] for p in probes(world).values()) == ["due", "sent", "sent", "void", "void", "void"], "the day's budget is used")
    assert {a: p["outcome"] for a, p in probes(world).items() if p["state"] == "void"} == {
        people[0]: "left", people[1]: "suppressed", "other@example.test": "moved"}, probes(world)
    world.campaign("third")
    world.finished("third")
    assert [p["state"] for p in probes(world).values()].count("sent") == 2
    wait_days(world, 2)
    until(lambda: [p["state"] for p in probes(world).values()].count("sent") == 3, "the next day's")
    # Who is erased takes the letter along; a complaint about one is obeyed; probes that are off hold nobody.
    gone, angry = [a for a, p in probes(world).items() if p["state"] == "sent"][:2]
    sender = letters(world)[angry][0]
    world.listctl("subscriber", "erase", gone, "--yes")
    assert gone not in probes(world)
    deliver(world, "fbl@provider.test", sender, arf())
    assert past.state(world, angry) == "unsubscribed" and world.value("SELECT count(*) FROM suppression WHERE reason = 'complaint'") == "1"
    world.listctl("policy", "set", "news", "probe=off")
    world.campaign("fourth")
    assert "probed" not in world.finished("fourth")["skipped_reasons"]


def test_never_twice(world):
    "A sender that is killed while it sends a letter sends no second one: what became of it is not known, and only a bounce decides; later another is asked for."
    second = soft_bouncers(world, ANN)
    world.mailworld("* accept slow 3600000\n")
    world.start("bounced")
    full(world, second, ANN, "1")
    world.start("sender")
    until(lambda: stands(world, ANN) == "sending", "it is being sent")
    os.killpg(world.processes["sender"].pid, signal.SIGKILL)
    world.stop("sender", code=None)
    world.stop("mailworld", code=None)
    world.mailworld("", name="after")
    world.start("sender")
    world.campaign("third")
    assert world.finished("third")["skipped_reasons"] == {"probed": 1}
    assert stands(world, ANN) == "sending" and probes(world)[ANN]["tries"] == 1
    wait_days(world, 1)
    assert stands(world, ANN) == "doubtful"
    wait_days(world, 10)
    assert stands(world, ANN) == "void" and past.state(world, ANN) == "active"
    world.listctl("prune", "--apply")
    until(lambda: stands(world, ANN) == "sent", "another letter")
    assert len(world.accepted("after")) == 1 and len(world.json("probe", "ls")) == 2


def test_settings_and_letter(world):
    "policy set and show, simulate, and the list's own words, checked before they are kept."
    second = soft_bouncers(world, ANN)
    assert [(r["days"], r["is_own"]) for r in world.json("policy", "show", "news") if r["reason"] == "probe"] == [(10, True)]
    world.listctl("policy", "set", "news", "probe=20/7")
    assert "so already" in world.run("listctl", "policy", "set", "news", "probe=20/7").stderr
    row = next(r for r in world.json("policy", "show", "news") if r["reason"] == "probe")
    assert row["days"] == 20 and "at most 7 a day" in row["meaning"], row
    for wrong in ("probe=", "probe=0/5", "probe=91/5", "probe=5/0", "probe=5", "probe=never"):
        world.refused("policy", "set", "news", wrong, code=2, says="DAYS/A-DAY")
    past.came_back(world, second, ANN, reason="mailbox-full", kind="bounce-soft", days_ago=2)
    assert world.json("policy", "simulate", "news") == []
    assert [r["change"] for r in world.json("policy", "simulate", "news", "--set", "probe=off")] == ["disable"]
    world.refused("probe", "ls", "nowhere", says="no list nowhere")
    world.refused("probe", "ls", "--state", "lost", code=2, says="doubtful")
    shown = world.json("probe", "letter", "news")
    assert shown["is_own"] is False and "{{unsubscribe}}" in shown["text"], shown
    assert world.listctl("probe", "letter", "news") == f"Subject: {shown['subject']}\n\n{shown['text']}"
    assert "probe=on" in world.run("listctl", "probe", "ls", "--state", "void").stderr
    world.refused("probe", "letter", "news", "--text", world.file("bad.txt", "Hello {{city}}\n"), says=["city", "{{list.title}}"])
    world.refused("probe", "letter", "news", "--text", world.file("empty.txt", "\n"), says="without a text")
    world.refused("probe", "letter", "news", "--subject", "x", "--default", code=2, says="alone")
    assert world.json("probe", "letter", "news") == shown
    world.listctl("probe", "letter", "news", "--subject", "Are you there, {{name|reader}}?", "--text", world.file("own.txt", "Here? {{unsubscribe}}\n"))
    own = world.json("probe", "letter", "news")
    assert own == {"subject": "Are you there, {{name|reader}}?", "is_own": True, "text": "Here? {{unsubscribe}}\n"}, own
    asked = world.run("listctl", "prune", "--apply").stderr
    assert "probes asked for now: 1" in asked, asked
    world.mailworld("")
    world.start("sender")
    until(lambda: stands(world, ANN) == "sent", "sent")
    assert str(letters(world)[ANN][2]["Subject"]) == "Are you there, Ann?" and letters(world)[ANN][2].get_content().startswith("Here? ")
    world.listctl("probe", "letter", "news", "--default")
    assert world.json("probe", "letter", "news") == shown
    world.listctl("policy", "set", "news", "probe=off")
    assert not [r for r in world.json("policy", "show", "news") if r["reason"] == "probe"]
