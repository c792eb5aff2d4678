"""The units for systemd, as systemd itself reads them."""

import shutil
import subprocess

from verpost import BIN, TOP, Skip


def test_systemd_finds_no_fault(world):
    "Each unit of examples/ is understood whole: no key, section or value that systemd would pass over."
    if shutil.which("systemd-analyze") is None:
        raise Skip("systemd-analyze is not installed")
    folder = world.base / "units"
    folder.mkdir()
    units = [*(TOP / "examples").glob("*.service"), *(TOP / "examples").glob("*.socket")]
    assert len(units) == 4, units
    for unit in units:
        (folder / unit.name).write_text(unit.read_text().replace("/usr/local/sbin/verpost-", f"{BIN}/"))
    for unit in units:
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", folder / unit.name], capture_output=True, text=True)
        said = [line for line in done.stderr.splitlines() if str(folder) in line or unit.stem in line]
        assert done.returncode == 0 and not said, (unit.name, done)
