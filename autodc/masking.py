"""Secrets, made unreadable in all that is written or shown: passwords and tokens in addresses, options and arguments.

What is masked is what a person can tell by its form: `user:password@` of an address, query keys such as `token` or
`X-Amz-Signature`, option keys such as `password`; of what others say also the values of environment variables with such
names. The run itself works with what the study file says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

MASK = "***"

_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://(?P<rest>[^\s\"'<>`|\\]*)")
_AUTHORITY = re.compile(r"[^/?#]*")
_QUERY = re.compile(
    r"(?P<before>[?&;#])(?P<name>[^=&;#?\s\"'<>]+)=(?P<value>[^&;#\s\"'<>`]*?)(?=[).,:]*(?:[&;#\s\"'<>`]|$))"
)
_OPTION = re.compile(r"(?P<dashes>--?)(?P<name>[A-Za-z][\w\-]*)(?:=(?P<value>.*))?", re.DOTALL)
_SETTING = re.compile(r"(?P<name>[A-Za-z][\w.\-\[\]]*)=(?P<value>.+)", re.DOTALL)
_SECRET = re.compile(
    r"(?:.*[_\-.])?(?:pass(?:word|wd|phrase)?|pwd|pw|secret|token|credentials?|signature|sig|sas|auth|authorization"
    r"|api[_-]?key|(?:secret[_-]?)?access[_-]?key(?:[_-]?id)?|(?:secret|account|private)[_-]?key"
    r"|connection[_-]?string|session[_-]?token)"
    r"|(?:ssl|db|user|my)?password|(?:aws|google)?access(?:key)?id|access_?token|auth_?token|sastoken",
    re.IGNORECASE,
)
_ONLY_IN_ADDRESSES = frozenset({"key", "code", "odbc_connect"})
_WEB = frozenset({"http", "https", "git", "git+https", "ws", "wss"})
_DATABASES = frozenset({"postgresql", "postgres", "mysql", "mariadb", "mssql", "oracle", "redis", "mongodb", "amqp"})
_SHORTEST = 4  # a shorter secret is not looked for outside its address: it would match words
_SHORTEST_OF_ENVIRONMENT = 8


def masked(text: str, *known: str) -> str:
    """The text without the secrets of the addresses in it.

    known: addresses whose secrets are masked wherever else they stand, too: libraries repeat them alone.
    """
    if "://" in text:
        text = _ADDRESS.sub(_address, text)
    if "=" in text:
        text = _QUERY.sub(_query, text)
    for secret in secrets_of(known):
        text = text.replace(secret, MASK)
    return text


def masked_said(text: str, *known: str) -> str:
    """What a library, a program or somebody's own code said, without secrets: also those of the environment.

    known: texts that are secrets themselves.
    """
    text = masked(text)
    by_name = (v for k, v in os.environ.items() if len(v) >= _SHORTEST_OF_ENVIRONMENT and _names_secret(k))
    for secret in sorted({*by_name, *known}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def masked_tree(value: Any) -> Any:
    """The same JSON value with the secrets of every text in it masked, and those that the key before them names."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {k: MASK if _is_secret(k, v) else masked_tree(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        found = [masked_tree(v) for v in value]
        found = _arguments(found) if all(isinstance(v, str) for v in found) else found
        return tuple(found) if isinstance(value, tuple) else found
    return value


def masked_study(content: Mapping[str, Any]) -> dict[str, Any]:
    """A study file as JSON without its secrets; the search space has none, and its values are told apart."""
    return {key: value if key == "search_space" else masked_tree(value) for key, value in content.items()}


def secrets_of(addresses: Iterable[str]) -> tuple[str, ...]:
    """The secrets themselves, as they stand and decoded, longest first."""
    found: set[str] = set()
    for address in addresses:
        for match in _ADDRESS.finditer(address):
            found.add(_split(match["scheme"], match["rest"])[1])
        found |= {m["value"] for m in _QUERY.finditer(address) if _names_secret(m["name"], _ONLY_IN_ADDRESSES)}
    found |= {unquote(secret) for secret in found} | {quote(secret, safe="") for secret in found}
    return tuple(sorted((s for s in found if len(s) >= _SHORTEST and s != MASK), key=len, reverse=True))


def secret_options(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The secrets of options, longest first, also in arguments of a program: somebody else's code may repeat them."""
    found = {v for k, v in options.items() if _is_secret(k, v) and len(v) >= _SHORTEST}
    for value in options.values():
        if isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in value):
            found |= set(_secret_arguments(value))
    found |= set(secrets_of(v for v in options.values() if isinstance(v, str)))
    return tuple(sorted(found, key=len, reverse=True))


def without_user(address: str) -> str:
    """The address without user, password and the values of secret query keys: what says where, and not as whom."""
    hidden = masked(address)
    match = _ADDRESS.fullmatch(hidden)
    if match is None:
        return hidden
    authority, found, rest = match["rest"].partition("@")
    return f"{match['scheme']}://{rest if found and _AUTHORITY.fullmatch(authority) else match['rest']}"


def _address(match: re.Match[str]) -> str:
    before, secret, after = _split(match["scheme"], match["rest"])
    inner = _ADDRESS.sub(_address, after) if "://" in after else after
    return f"{match['scheme']}://{before}{MASK if secret else ''}{inner}"


def _split(scheme: str, rest: str) -> tuple[str, str, str]:
    """What stands before the secret of an address, the secret, what follows it; the secret is empty where none is."""
    authority = _AUTHORITY.match(rest)
    assert authority is not None
    named, at, _ = authority[0].rpartition("@")
    web = scheme.lower() in _WEB
    if scheme.lower().partition("+")[0] in _DATABASES and ":" in authority[0]:
        named, at, _ = rest.rpartition("@")  # people leave / ? # and @ in such passwords as they are
    if not at:
        return rest, "", ""
    user, colon, password = named.partition(":")
    if colon:
        return f"{user}:", password, rest[len(named) :]
    return ("", user, rest[len(named) :]) if web else (rest, "", "")


def _query(match: re.Match[str]) -> str:
    if not match["value"] or not _names_secret(match["name"], _ONLY_IN_ADDRESSES):
        return match[0]
    return f"{match['before']}{match['name']}={MASK}"


def _arguments(words: list[str]) -> list[str]:
    """The arguments of a program: `--token abc`, `--token=abc` and `options.token=abc`."""
    found: list[str] = []
    masks_next = False
    for word in words:
        option = _OPTION.fullmatch(word)
        names = option is not None and _names_secret(option["name"])
        if masks_next and option is None:
            found.append(MASK)
        elif option is not None and names and option["value"]:
            found.append(f"{option['dashes']}{option['name']}={MASK}")
        elif (setting := _SETTING.fullmatch(word)) is not None and _names_secret(setting["name"]):
            found.append(f"{setting['name']}={MASK}")
        else:
            found.append(word)
        masks_next = names and option is not None and option["value"] is None
    return found


def _secret_arguments(words: Sequence[str]) -> set[str]:
    """The secrets among the arguments of a program."""
    shown = _arguments(list(words))
    changed = [word for word, one in zip(words, shown, strict=True) if word != one]
    found = {word.partition("=")[2] if "=" in word else word for word in changed}
    return {word for word in found if len(word) >= _SHORTEST} | set(secrets_of(words))


def _is_secret(key: Any, value: Any) -> bool:
    return isinstance(value, str) and bool(value) and isinstance(key, str) and _names_secret(key)


def _names_secret(name: str, more: frozenset[str] = frozenset()) -> bool:
    name = unquote(name)
    return _SECRET.fullmatch(name) is not None or name.lower() in more
