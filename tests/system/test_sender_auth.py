"""sender logs in at relays: Debian's Postfix with Cyrus SASL. A wrong password touches nobody, and is asked for anew."""

from relaying import Watch, relay
from test_sender_tls import AUDIENCE, Scene
from tap import Tap

PASSWORD = "se cret,=\u00e4\u20ac"
CASES = [("plain", "PLAIN"), ("login", "LOGIN"), ("scram-sha-256", "SCRAM-SHA-256"), ("any", "SCRAM-SHA-256")]


def test_mechanisms(world):
    "PLAIN, LOGIN and SCRAM-SHA-256 with the right password, which is nowhere to be read; of several mechanisms the one that does not show it."
    scene = Scene(world, users={"ann": PASSWORD})
    tap = Tap(scene.port)
    world.start("sender")
    for number, (auth, mechanism) in enumerate(CASES, 1):
        scene.relay(port=tap.port, auth=auth, auth_user="ann@relay.test", secret=PASSWORD)
        world.campaign(f"news-{number}")
        assert world.finished(f"news-{number}")["accepted"] == len(AUDIENCE), auth
        used = scene.postfix.log().count(f"sasl_method={mechanism}, sasl_username=ann@relay.test")
        assert used == len(AUDIENCE) * (2 if number == len(CASES) else 1), (auth, used)
    scene.all_have_it(len(CASES))
    assert all("(Authenticated sender: ann@relay.test)" in letter for letter in scene.letters())
    assert set(tap.clear()) == {b"EHLO sender.test\r\nSTARTTLS\r\n"}
    assert PASSWORD not in world.log("sender")
    world.stop("sender")


def test_wrong_password(world):
    "A wrong password: the relay is left alone with its reply as the reason, nobody is touched; the right one is taken without a restart."
    scene = Scene(world, users={"ann": PASSWORD})
    world.start("sender")
    for number, (auth, _) in enumerate(CASES[:3], 1):
        watch = Watch(world)
        scene.relay(auth=auth, auth_user="ann@relay.test", secret="something else")
        world.campaign(f"news-{number}")
        watch.trouble("auth: 535")
        status = world.status(f"news-{number}")
        assert status["pending"] == status["audience"] == len(AUDIENCE), (auth, status)
        assert world.value("SELECT count(*) FROM deferral") == "0"
        scene.relay(auth=auth, auth_user="ann@relay.test", secret=PASSWORD)
        assert world.finished(f"news-{number}")["accepted"] == len(AUDIENCE), auth
    scene.all_have_it(3)
    assert "something else" not in world.log("sender")
    world.stop("sender")


def test_mechanism_that_is_not_offered(world):
    "A mechanism that the relay does not offer is not replaced by a lesser one."
    scene = Scene(world, users={"ann": PASSWORD}, mechanisms="PLAIN LOGIN")
    watch = Watch(world)
    scene.relay(auth="scram-sha-256", auth_user="ann@relay.test", secret=PASSWORD)
    world.start("sender")
    world.campaign("news")
    watch.trouble("auth: ")
    status = world.status("news")
    assert status["pending"] == status["audience"] == len(AUDIENCE), status
    assert "auth=" not in scene.postfix.log(), "the password was not shown"
    scene.relay(auth="any", auth_user="ann@relay.test", secret=PASSWORD)
    assert world.finished("news")["accepted"] == len(AUDIENCE)
    world.stop("sender")
