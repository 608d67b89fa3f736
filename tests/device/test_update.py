"""`rearguard update`: beside the old one, examined, over to it, and back when it guards less."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import cli, migrations
from device.cli import update
from device.cli.update import PATIENCE_S, Update, guarding
from device.config import Config
from device.frames import Frame, Guard
from device.releases import WHOLE, ReleaseError, Releases
from device.ring import RingWriter
from device.settings import ConfigError, example, load
from tests.conftest import ROOT
from tests.device.virtual import Clock

RELEASED = sorted((Path(__file__).parent / "released").glob("*.toml"))


class Belt:
    """What is done to the machine, and what then guards: by release, how far, from when on."""

    def __init__(self, releases: Releases, clock: Clock) -> None:
        self.releases, self.clock = releases, clock
        self.done: list[str] = []
        self.fails = ""
        self.reaches: dict[str, list[tuple[float, Guard | None]]] = {}
        self.started = clock.now()

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what.split(maxsplit=1)[0] == self.fails:
            raise ReleaseError(f"{what} fails: mend it")

    def make(self, wheel: Path, place: Path) -> None:
        place.mkdir()
        (place / "half").touch()
        self._do("make")

    def migrate(self, release: Path, old: Path, new: Path) -> None:
        self._do("migrate")
        migrations.main(old, new)

    def examine(self, release: Path, config: Path) -> None:
        assert load(config)
        self._do("examine")

    def start(self, release: Path) -> None:
        assert self.releases.current == release
        self.started = self.clock.now()
        self.done.append(f"start {release.name}")
        if f"start {release.name}" == self.fails:
            raise ReleaseError("units fail: mend them")

    def guard(self) -> Guard | None:
        now = self.clock.now() - self.started
        name = self.releases.current.name
        reached = [g for t, g in self.reaches.get(name, [(0.0, Guard.FULL)]) if t <= now]
        return reached[-1] if reached else None


class Place:
    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.old = folder / "releases" / "0.1.0-aaaaaaaa"
        self.old.mkdir(parents=True)
        (self.old / WHOLE).touch()
        self.releases = Releases(folder)
        self.releases.go_to(self.old)
        self.wheel = folder / "rearguard-0.2.0-cp311-abi3-linux_aarch64.whl"
        self.wheel.write_bytes(b"release")
        self.new = self.releases.place(self.wheel)
        self.config = folder / "rearguard.toml"
        self.config.write_text('[imu]\ndriver = "lsm6dsox"\naddress = 107\n')
        self.before = self.config.read_text()
        self.config.chmod(0o640)
        self.belt = Belt(self.releases, self.clock)
        self.update = Update(self.releases, self.config, self.belt, self.clock, self.belt.guard)  # type: ignore[arg-type]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_release_that_guards_stays(place: Place) -> None:
    assert place.update.to(place.wheel)
    assert place.releases.current == place.new
    assert place.new.name.startswith("0.2.0-")
    assert (place.new / WHOLE).exists()
    assert place.belt.done == ["make", "migrate", "examine", f"start {place.new.name}"]
    assert load(place.config).imu.address == 107
    assert "# gone since" in place.config.read_text()
    assert place.config.stat().st_mode & 0o777 == 0o640
    assert place.old.exists(), "the way back stays"
    with pytest.raises(ReleaseError, match="runs already"):
        place.update.to(place.wheel)


@pytest.mark.parametrize(
    "reaches",
    [
        [],
        [(0.0, Guard.NO_IMU)],
        [(PATIENCE_S + 1, Guard.FULL)],
        [
            (t, guard)
            for n in range(10)
            for t, guard in ((4.0 * n, Guard.FULL), (4.0 * n + 2, None))
        ],
    ],
    ids=["never", "less than before", "too late", "again and again"],
)
def test_one_that_does_not_is_taken_back(place: Place, reaches: list, capsys) -> None:
    place.belt.reaches[place.new.name] = reaches
    begun = place.clock.now()
    assert not place.update.to(place.wheel)
    assert place.clock.now() - begun == pytest.approx(PATIENCE_S, abs=1.0)
    assert place.releases.current == place.old
    assert place.config.read_text() == place.before
    assert place.belt.done[-1] == f"start {place.old.name}"
    assert "is back" in capsys.readouterr().out


def test_a_belt_that_lay_on_the_table_need_only_be_as_far_as_it_was(place: Place) -> None:
    """Not worn, it guards nobody; the update must not be refused for that."""
    for release in (place.old, place.new):
        place.belt.reaches[release.name] = [(0.0, Guard.NOT_GUARDING)]
    assert place.update.to(place.wheel)


@pytest.mark.parametrize("step", ["make", "migrate", "examine"])
def test_what_fails_before_the_switch_changes_nothing(place: Place, step: str) -> None:
    place.belt.fails = step
    files = sorted(place.folder.glob("rearguard.toml*"))
    with pytest.raises(ReleaseError, match="mend it"):
        place.update.to(place.wheel)
    assert place.releases.current == place.old
    assert place.config.read_text() == place.before
    assert not any(line.startswith("start") for line in place.belt.done)
    assert sorted(place.folder.glob("rearguard.toml*")) == files
    place.belt.fails = ""
    assert place.update.to(place.wheel), "the next attempt begins anew"


def test_what_fails_at_the_switch_is_taken_back(place: Place) -> None:
    place.belt.fails = f"start {place.new.name}"
    with pytest.raises(ReleaseError, match="units fail"):
        place.update.to(place.wheel)
    assert place.releases.current == place.old
    assert place.config.read_text() == place.before


def test_a_release_cut_off_in_its_making_is_made_again(place: Place) -> None:
    place.new.mkdir()
    (place.new / "half of a file").touch()
    assert place.update.to(place.wheel)
    assert not (place.new / "half of a file").exists()


def test_only_two_releases_are_kept(place: Place) -> None:
    for name in ("0.0.8-bbbbbbbb", "0.0.9-cccccccc"):
        (place.folder / "releases" / name).mkdir()
    assert place.update.to(place.wheel)
    assert {p.name for p in (place.folder / "releases").iterdir()} == {
        place.old.name,
        place.new.name,
    }


@pytest.mark.parametrize("name", ["rearguard-0.2.0.tar.gz", "numpy-2.0-cp311.whl", "gone.whl"])
def test_what_is_no_release_is_refused(place: Place, name: str) -> None:
    if name != "gone.whl":
        (place.folder / name).touch()
    with pytest.raises(ReleaseError, match="no release"):
        place.update.to(place.folder / name)


def test_how_far_a_belt_guards_is_read_from_its_frames(tmp_path: Path) -> None:
    clock = Clock()
    assert guarding(tmp_path / "frames", clock) is None
    ring = RingWriter(tmp_path / "frames", 64, 104.0, "live")
    ring.write(Frame(t=clock.now(), tick=clock.now(), guard=Guard.NO_REAR))
    assert guarding(tmp_path / "frames", clock) is Guard.NO_REAR
    clock.t += 1.5
    assert guarding(tmp_path / "frames", clock) is None
    ring.close()


def test_it_is_for_a_belt_and_for_root(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(update.os, "geteuid", lambda: 1000)
    assert cli.main(["update", "x.whl"]) == 2
    assert "run it with sudo" in capsys.readouterr().err


# --- configurations ---


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.stem)
def test_the_configuration_of_each_release_is_carried_on(file: Path, tmp_path: Path) -> None:
    new = tmp_path / "rearguard.toml"
    migrations.main(file, new)
    config = load(new)
    assert config.imu.address == 106
    assert config.ranger.period_s == 0.06, "what was set stays set"
    again, said = migrations.migrate(new.read_text())
    assert (again, said) == (new.read_text(), [])


def test_the_first_release_needs_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"imu\.driver"):
        load(RELEASED[0])


def test_every_release_that_was_is_here() -> None:
    """Versions the changelog names, and the one of today."""
    log = (ROOT / "CHANGELOG.md").read_text()
    versions = {line.split()[1].strip(",") for line in log.splitlines() if line.startswith("## ")}
    assert versions == {file.stem for file in RELEASED}


def test_today_needs_no_change() -> None:
    assert migrations.migrate(example()) == (example(), [])
    for change in migrations.CHANGES:
        section, name = change.key.split(".")
        assert not hasattr(getattr(Config(), section), name)
