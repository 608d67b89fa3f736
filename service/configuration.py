"""The configuration over HTTP: its values as JSON has them, and their shape.

Both are made from `device/config.py`, so that a new key is described by being there.
"""

from __future__ import annotations

import dataclasses
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, create_model

from device.config import Config


def settings(config: Config) -> dict[str, dict[str, Any]]:
    """Section → key → value, as JSON has them."""
    return {
        section: {
            key: ("" if value == Path() else str(value)) if isinstance(value, Path) else value
            for key, value in table.items()
        }
        for section, table in dataclasses.asdict(config).items()
    }


def shape() -> type[BaseModel]:
    """What `settings` gives, key by key: type, bounds, default and what it is for."""
    sections: dict[str, Any] = {
        name: (_section(name, kind), ...) for name, kind in typing.get_type_hints(Config).items()
    }
    return create_model("Configuration", **sections)


def _section(name: str, kind: type[Any]) -> type[BaseModel]:
    types = typing.get_type_hints(kind)
    keys: dict[str, Any] = {
        field.name: _key(types[field.name], field) for field in dataclasses.fields(kind)
    }
    return create_model(f"Configuration_{name}", **keys)


def _key(kind: type[Any], field: dataclasses.Field[Any]) -> tuple[type[Any], Any]:
    is_path = kind is Path
    default = "" if field.default == Path() else str(field.default) if is_path else field.default
    about = field.metadata
    choices: dict[str, Any] = {"enum": list(about["choices"])} if about["choices"] else {}
    return str if is_path else kind, Field(
        description=about["doc"],
        examples=[default],
        ge=about["low"],
        le=about["high"],
        pattern=f"^(?:{about['pattern']})$" if about["pattern"] else None,
        json_schema_extra=choices,
    )
