"""Reads the configuration file: unknown keys and impossible values are refused, with the line."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import tomllib
import typing
from pathlib import Path
from typing import Any

from device.config import Config
from device.screening import OVERRULABLE

MB1242_PERIOD_S = 0.1  # s; drivers/mb1242.py refuses less as well


class ConfigError(Exception):
    """What is wrong in the file, where, and what to do: one line."""


def load(path: Path) -> Config:
    """The configuration in `path`, checked whole. Relative paths in it start at its folder.

    Raises ConfigError.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read ({error}): name the file with --config"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    sections = {field.name: field for field in dataclasses.fields(Config)}
    built: dict[str, Any] = {}
    for name, table in tables.items():
        where = f"{path}:{_line(text, name)}"
        if name not in sections or not isinstance(table, dict):
            raise ConfigError(f"{where}: unknown section [{name}]; known: {', '.join(sections)}")
        kind = typing.get_type_hints(Config)[name]
        keys = {field.name: field for field in dataclasses.fields(kind)}
        types = typing.get_type_hints(kind)
        values = {}
        for key, value in table.items():
            where = f"{path}:{_line(text, name, key)}"
            if key not in keys:
                raise ConfigError(f"{where}: unknown key {name}.{key}; known: {', '.join(keys)}")
            values[key] = _value(
                where, f"{name}.{key}", value, types[key], keys[key].metadata, path
            )
        built[name] = kind(**values)
    config = Config(**built)
    _check_together(path, text, config)
    return config


def example() -> str:
    """A configuration file with every key at its default and what it is for."""
    lines = [
        "# Rearguard's configuration: every key at its default. Delete what you do not change."
    ]
    for section in dataclasses.fields(Config):
        table = typing.get_type_hints(Config)[section.name]
        lines += ["", f"[{section.name}]"]
        for key in dataclasses.fields(table):
            default = key.default
            if isinstance(default, Path):
                default = "" if default == Path() else str(default)
            shown = f'"{default}"' if isinstance(default, str) else str(default)
            lines += [f"# {key.metadata['doc']}{_bounds(key.metadata)}", f"{key.name} = {shown}"]
    return "\n".join(lines) + "\n"


def _value(
    where: str, name: str, value: Any, kind: type, meta: typing.Mapping[str, Any], file: Path
) -> Any:
    """The value as its field wants it."""
    wanted = {int: "a whole number", float: "a number", str: "a text", Path: "a path in quotes"}
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        int: isinstance(value, int) and number,
        float: number,
        str: isinstance(value, str),
        Path: isinstance(value, str),
    }[kind]
    if not fits:
        raise ConfigError(f"{where}: {name} must be {wanted[kind]}, not {value!r}{_bounds(meta)}")
    low, high, choices, pattern = meta["low"], meta["high"], meta["choices"], meta["pattern"]
    if number and low is not None and not low <= value <= high:  # so put, it refuses NaN too
        raise ConfigError(f"{where}: {name} = {value} is impossible: choose {low} to {high}")
    if choices and value not in choices:
        raise ConfigError(
            f"{where}: {name} = {value!r} is not known: choose {' or '.join(choices)}"
        )
    if pattern and not re.fullmatch(pattern, value):
        raise ConfigError(f"{where}: {name} = {value!r} will not do: it must match {pattern}")
    if kind is Path:
        return file.parent / value if value else Path()
    return kind(value)


def _check_together(path: Path, text: str, config: Config) -> None:
    """What single keys cannot show."""
    pins = {
        "ranger.trigger_pin": config.ranger.trigger_pin,
        "ranger.echo_pin": config.ranger.echo_pin,
        "motor.pin": config.motor.pin,
        "motor.buzzer_pin": config.motor.buzzer_pin,
        "button.pin": config.button.pin,
        "imu.power_pin": config.imu.power_pin,
    }
    seen: dict[int, str] = {}
    for name, pin in pins.items():
        if pin >= 0 and pin in seen:
            where = f"{path}:{_line(text, *name.split('.'))}"
            raise ConfigError(f"{where}: {name} and {seen[pin]} share GPIO {pin}: move one of them")
        seen[pin] = name
    allowed = [word.strip() for word in config.wearer.clinician_allows.split(",") if word]
    where = f"{path}:{_line(text, 'wearer', 'clinician_allows')}"
    if unknown := sorted(set(allowed) - OVERRULABLE):
        raise ConfigError(
            f"{where}: wearer.clinician_allows names {unknown[0]!r}, which nobody can allow: "
            f"choose of {', '.join(sorted(OVERRULABLE))}"
        )
    if allowed and not config.wearer.clinician.strip():
        raise ConfigError(
            f"{where}: wearer.clinician_allows needs the clinician's name: set wearer.clinician"
        )
    if config.ranger.driver == "mb1242" and config.ranger.period_s < MB1242_PERIOD_S:
        where = f"{path}:{_line(text, 'ranger', 'period_s')}"
        raise ConfigError(
            f"{where}: ranger.period_s = {config.ranger.period_s:g} is too short for an mb1242: "
            f"choose at least {MB1242_PERIOD_S:g}"
        )
    for section, table in (("mqtt", config.mqtt), ("http", config.http)):
        if (table.certificate_file == Path()) != (table.key_file == Path()):
            where = f"{path}:{_line(text, section)}"
            raise ConfigError(
                f"{where}: {section}.certificate_file and {section}.key_file go together: set both"
            )
    if config.mqtt.certificate_file != Path() and config.mqtt.ca_file == Path():
        where = f"{path}:{_line(text, 'mqtt', 'certificate_file')}"
        raise ConfigError(f"{where}: mqtt.certificate_file needs TLS: set mqtt.ca_file as well")


def is_loopback(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bounds(meta: typing.Mapping[str, Any]) -> str:
    if meta["choices"]:
        return f" ({' or '.join(meta['choices'])})"
    if meta["low"] is not None:
        return f" ({meta['low']} to {meta['high']})"
    return ""


def _line(text: str, section: str, key: str = "") -> int:
    """The line where a section or one of its keys stands (1 when it is spelled unusually)."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[+\s*([\w.-]+)", line):
            current = head[1]
            if not key and current == section:
                return number
        elif current == section and key and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
            return number
    return 1
