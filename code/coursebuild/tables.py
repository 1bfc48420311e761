"""Files of tables (TOML) that an author writes: read as they are meant, or refused by their place.

What a table may hold is a JSON Schema; `table` and its companions write down the usual ones.
"""

import tomllib
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from layerlab.errors import LayerlabError

TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT}
MINUTES = {"type": "integer", "minimum": 1}


class TableError(LayerlabError):
    """A file of tables that cannot be read, or holds something else than it should."""


def table(needed: dict[str, Any], others: dict[str, Any] | None = None) -> dict[str, Any]:
    """The schema of a table with some keys that it needs, and some that it may have."""
    properties = needed | (others or {})
    return {
        "type": "object",
        "properties": properties,
        "required": list(needed),
        "additionalProperties": False,
    }


def tables(each: dict[str, Any]) -> dict[str, Any]:
    """The schema of tables by any name."""
    return {"type": "object", "additionalProperties": each}


def lists(each: dict[str, Any]) -> dict[str, Any]:
    """The schema of a list, such as that of all tables `[[name]]`."""
    return {"type": "array", "items": each, "minItems": 1}


def read_tables(path: Path, schema: dict[str, Any]) -> dict[str, Any]:
    """What a file of tables says.

    Parameters
    ----------
    path : Path
    schema : dict
        What it should be.

    Raises
    ------
    TableError
        If it is no TOML, or something else than the schema wants; a line for each place.
    """
    try:
        found = tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TableError(f"{path.name}: {error}; see https://toml.io") from error
    errors = sorted(Draft202012Validator(schema).iter_errors(found), key=lambda e: e.json_path)
    if errors:
        raise TableError("\n".join(f"{path.name}, {_told(error)}" for error in errors))
    return found


def _told(error: ValidationError) -> str:
    """Where it is, what stands there, and what should."""
    where = error.json_path.removeprefix("$").removeprefix(".") or "at its top"
    if error.validator == "type":
        kind = {"object": "a table", "array": "a list", "string": "a text"}
        wanted = kind.get(error.validator_value, f"an {error.validator_value}")
        return f"{where}: {error.instance!r:.60} should be {wanted}"
    if error.validator == "oneOf":
        keys = ", ".join(key for one in error.validator_value for key in one["required"])
        return f"{where}: it should have one of {keys}, and no other of these"
    return f"{where}: {error.message:.200}"
