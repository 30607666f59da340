"""Reads what a network's answer may hold, tolerantly: absent and misshapen are the same. What it must hold is `oauth2.text`."""

from hitchpost.networks.http import Json


def part(body: Json, name: str) -> Json:
    """An object inside an answer; empty when it is absent or something else."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def words(body: Json, name: str) -> str:
    """An optional text of an answer; empty when it is absent or something else."""
    value = body.get(name)
    return value if isinstance(value, str) else ""
