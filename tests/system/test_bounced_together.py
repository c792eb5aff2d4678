"""Several bounced on one database: they share the work, and each report counts once."""

import smtplib
import subprocess
import threading

from returns import *
from verpost import BIN, free_port

DISABLED = {"status": "5.2.1", "diagnostic": "550 5.2.1 <p@example.test>: The account is disabled and takes no mail"}


def second(world):
    "Another process with the same settings but its port."
    port = free_port()
    text = world.config.read_text().replace(f"127.0.0.1:{world.bounced_port}", f"127.0.0.1:{port}")
    config = world.file("second.conf", text)
    world.logs["second"] = world.base / "second.log"
    process = subprocess.Popen([str(BIN / "bounced"), "--config", str(config)], stdin=subprocess.DEVNULL,
                               stderr=open(world.logs["second"], "a"), start_new_session=True)
    world.others.append(process)
    world.listening(port, process)
    return port


def hand_over(world, port, campaign, ids, failures):
    try:
        with smtplib.SMTP("127.0.0.1", port, "peer.test", timeout=60) as peer:
            for person in ids:
                peer.sendmail("", [return_path(world, campaign, person)], dsn(**DISABLED, mark=f"{campaign}-{person}"))
    except Exception as failure:
        failures.append(failure)


def test_same_reports_through_two(world):
    "Two reports about each person race through two processes, each report through both: all stored once, no verdict missed."
    ids, late = people(world, 60)
    early = send(world, "early", days_ago=10)
    world.sql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''',"
              " current_database()); END $$")  # what the server thinks best changes nothing
    world.start("bounced")
    ports = [world.bounced_port, second(world)]
    failures = []
    threads = [threading.Thread(target=hand_over, args=(world, port, campaign, ids, failures), daemon=True)
               for port in ports for campaign in (early, late) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures, failures
    assert world.value("SELECT count(*) FROM bounce_event") == str(2 * len(ids))
    assert world.value("SELECT count(*) FROM bounce_raw") == str(2 * len(ids))
    states = world.sql("SELECT state, reason, count(*) FROM membership GROUP BY 1, 2")
    assert states == [["disabled", "mailbox-disabled", str(len(ids))]], states
    world.stop("bounced")
