"""A settings file edited as text: comments, order and everything else of the person's stay as they are."""

from __future__ import annotations

from dataclasses import replace

from benchdog.contract.read import SettingsFile, read_settings
from benchdog.contract.values import EndpointSettings, Settings
from benchdog.contract.write import toml_value
from benchdog.errors import ContractError, UserError

_KEYS = ("name", "url", "model", "key_env", "context", "temperature", "top_p")


def put_endpoint(data: bytes, endpoint: EndpointSettings, file: str) -> bytes:
    """The file's text with the endpoint in it: in the place of the one of that name, else after all that is there.

    The result is read again, and holds exactly what was there and this. Raises ContractError where `data` does not
    read, UserError with the lines to write by hand where it cannot be edited so.
    """
    before = read_settings(data, file)
    names = [each.name for each in before.settings.endpoints]
    text = data.decode("utf-8", "surrogateescape")
    if endpoint.name in names:
        text = _edited(text, before, names.index(endpoint.name), endpoint)
    else:
        text = (text.rstrip("\n") + "\n\n" if text.strip() else text) + endpoint_text(endpoint)
    result = text.encode("utf-8", "surrogateescape")
    try:
        right = read_settings(result, file).settings == _wanted(before.settings, endpoint)
    except ContractError:
        right = False
    if not right:
        raise UserError(f"{file} cannot be edited safely", hint=f"write there by hand:\n{endpoint_text(endpoint)}")
    return result


def endpoint_text(endpoint: EndpointSettings) -> str:
    """One `[[endpoint]]` table."""
    lines = [_line(key, endpoint) for key in _KEYS if getattr(endpoint, key) is not None]
    return "\n".join(["[[endpoint]]", *lines]) + "\n"


def _edited(text: str, file: SettingsFile, index: int, endpoint: EndpointSettings) -> str:
    """Replaces the lines of the keys that change, and adds those that are missing below the table's head."""
    lines = text.split("\n")
    old = file.settings.endpoints[index]
    added = []
    for key in _KEYS:
        value, at = getattr(endpoint, key), file.lines.get(f"endpoint[{index}].{key}")
        if value == getattr(old, key):
            continue
        if at is None:
            added.append(_line(key, endpoint))
        else:
            lines[at - 1] = "" if value is None else _line(key, endpoint)
    head = file.lines[f"endpoint[{index}]"]
    return "\n".join([*lines[:head], *added, *lines[head:]])


def _line(key: str, endpoint: EndpointSettings) -> str:
    return f"{key} = {toml_value(getattr(endpoint, key))}"


def _wanted(settings: Settings, endpoint: EndpointSettings) -> Settings:
    others = settings.endpoints
    if any(each.name == endpoint.name for each in others):
        return replace(settings, endpoints=tuple(endpoint if each.name == endpoint.name else each for each in others))
    return replace(settings, endpoints=(*others, endpoint))
