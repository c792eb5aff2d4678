"""What tests of relays share: the one relay of the database, and what sender says about it."""

from verpost import until


def relay(world, secret=None, name="main", **row):
    """The relay of this name becomes what row says; what row does not name is as if it were new."""
    folder = world.base / "secrets"
    folder.mkdir(exist_ok=True)
    if secret is not None:
        file = world.file(f"secrets/{name}", secret + "\n")
        file.chmod(0o600)
    columns = {key: value for key, value in row.items() if value is not None}
    quoted = ", ".join("'" + str(value).replace("'", "''") + "'" for value in columns.values())
    world.sql(f"DELETE FROM relay WHERE name = '{name}'; INSERT INTO relay (name, {', '.join(columns)}) VALUES ('{name}', {quoted})")


class Watch:
    """From now on."""

    def __init__(self, world):
        self.world, self.read = world, len(world.log("sender"))

    def trouble(self, reason):
        """Until a worker leaves the relay alone for this reason."""
        def heard():
            lines = self.world.log("sender")[self.read:].splitlines()
            return any("relay.tripped" in line and reason in line for line in lines)
        until(heard, f"the relay is left alone: {reason}")
