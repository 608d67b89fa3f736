"""`rearguard token`: shown once, hashed at rest, gone when revoked."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import tokens
from device.cli import main


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    file = tmp_path / "belt.toml"
    file.write_text('[belt]\ndata_dir = "data"\n')
    return file


def token(config: Path, *words: str) -> int:
    return main(["token", words[0], "--config", str(config), *words[1:]])


def test_a_token_is_shown_once_and_only_its_hash_is_kept(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert token(config, "add", "phone", "--scope", "operate") == 0
    secret = capsys.readouterr().out.strip()
    assert token(config, "add", "screen") == 0
    file = config.parent / "data" / "tokens"
    assert file.stat().st_mode & 0o777 == 0o600
    assert secret not in file.read_text()
    assert next(row.sha256 for row in tokens.load(file)) == tokens.digest(secret)
    capsys.readouterr()
    assert token(config, "list") == 0
    listed = capsys.readouterr().out
    assert [line.split("\t")[:2] for line in listed.splitlines()] == [
        ["phone", "operate"], ["screen", "read"],
    ]  # fmt: skip
    assert tokens.digest(secret) not in listed
    assert token(config, "revoke", "phone") == 0
    assert [row.name for row in tokens.load(file)] == ["screen"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "a b"), "must match"),
        (("add", "../x"), "must match"),
        (("add", "there"), "already"),
        (("revoke", "nobody"), "known: there"),
    ],
)
def test_what_will_not_do_is_one_line(
    config: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    token(config, "add", "there")
    capsys.readouterr()
    assert token(config, *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert said in err


def test_no_two_tokens_are_alike_and_each_is_long(tmp_path: Path) -> None:
    made = {tokens.make(tmp_path / "tokens", f"n{n}", "read", "") for n in range(tokens.MAX_TOKENS)}
    assert len(made) == tokens.MAX_TOKENS
    assert min(len(secret) for secret in made) >= len(tokens.PREFIX) + 43  # 32 bytes, base64
    with pytest.raises(tokens.TokenError, match="revoke"):
        tokens.make(tmp_path / "tokens", "more", "read", "")
