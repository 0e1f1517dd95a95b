"""The ``meta`` object of SDMX-JSON messages, the same for structures and data (SDMX-JSON 2.0 and 2.1), and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sdmx_service.errors import UnreadableFile
from sdmx_service.model.artefact import Texts
from sdmx_service.model.items import Contact
from sdmx_service.model.message import Header, Party

_ADDRESSES = {"telephones": "telephone", "faxes": "fax", "x400s": "x400", "uris": "uri", "emails": "email"}
_ADDRESS_NAMES = {kind: name for name, kind in _ADDRESSES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """In which languages texts are written: the best match of the wishes, and with ``everything`` all of them too."""

    wishes: tuple[str, ...] = ()
    everything: bool = False

    def of(self, texts: Texts) -> set[str]:
        """The languages in which these texts are written."""
        if self.everything:
            return set(texts)
        best = texts.best(self.wishes)
        return set() if best is None else {best[0]}


def put_texts(node: dict[str, Any], best: str, every: str, texts: Texts, speech: Speech) -> None:
    """Write texts: the best match as a string, and all languages as an object where they are wished."""
    if texts:
        node[best] = texts.text(speech.wishes)
        if speech.everything:
            node[every] = dict(texts)


def take_texts(node: Mapping[str, Any], best: str, every: str, path: str, language: str) -> Texts:
    """Read texts: all languages where they are, else the best match, which is in ``language``.

    Raises:
        UnreadableFile: they are no texts.
    """
    said, lone = node.get(every), node.get(best)
    if said is not None:
        if not isinstance(said, dict) or not all(isinstance(text, str) for text in said.values()):
            raise UnreadableFile(f"{path}/{every}: {said!r} is not an object of texts by language.")
        return Texts(said)
    if lone is None:
        return Texts()
    if not isinstance(lone, str):
        raise UnreadableFile(f"{path}/{best}: {lone!r} is not a text.")
    return Texts({language: lone})


# -------------------------------------------------------------------------------------------------------------- reading


def read_header(meta: object, path: str = "/meta") -> Header:
    """The header that a ``meta`` object says.

    Raises:
        UnreadableFile: a value is not of its type.
    """
    node = _object(meta, path)
    languages = _languages(node, path)
    language = languages[0] if languages else "en"
    prepared = node.get("prepared")
    return Header(
        id=_text(node, "id", path) or Header().id,
        test=bool(node.get("test", False)),
        prepared=None if prepared is None else _moment(prepared, f"{path}/prepared"),
        sender=_read_party(node["sender"], f"{path}/sender", language) if "sender" in node else Header().sender,
        receivers=tuple(
            _read_party(one, f"{path}/receivers/{place}", language) for place, one in enumerate(_receivers(node))
        ),
        names=take_texts(node, "name", "names", path, language),
        languages=languages,
    )


def _object(node: object, path: str) -> dict[str, Any]:
    if not isinstance(node, dict):
        raise UnreadableFile(f"{path}: {str(node)[:100]!r} is not an object.")
    return node


def _receivers(node: Mapping[str, Any]) -> Sequence[Any]:
    found = node.get("receivers", node.get("receiver")) or ()
    return found if isinstance(found, list) else (found,) if found else ()


def _languages(node: Mapping[str, Any], path: str) -> tuple[str, ...]:
    found = node.get("contentLanguages") or ()
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
        raise UnreadableFile(f"{path}/contentLanguages: {found!r} is not a list of language tags.")
    return tuple(found)


def _text(node: Mapping[str, Any], name: str, path: str) -> str | None:
    value = node.get(name)
    if value is not None and not isinstance(value, str):
        raise UnreadableFile(f"{path}/{name}: {value!r} is not a text.")
    return value


def _moment(value: object, path: str) -> datetime:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise UnreadableFile(f"{path}: {value!r} is not a date and time.") from None


def _read_party(found: object, path: str, language: str) -> Party:
    node = _object(found, path)
    identity = _text(node, "id", path)
    if not identity:
        raise UnreadableFile(f"{path}: the party has no id.")
    contacts = node.get("contacts") or node.get("contact") or []
    if not isinstance(contacts, list):
        raise UnreadableFile(f"{path}/contacts: {contacts!r} is not a list.")
    return Party(
        id=identity,
        names=take_texts(node, "name", "names", path, language),
        contacts=tuple(_read_contact(one, f"{path}/contacts/{place}", language) for place, one in enumerate(contacts)),
    )


def _read_contact(found: object, path: str, language: str) -> Contact:
    node = _object(found, path)
    return Contact(
        id=_text(node, "id", path),
        names=take_texts(node, "name", "names", path, language),
        departments=take_texts(node, "department", "departments", path, language),
        roles=take_texts(node, "role", "roles", path, language),
        addresses=take_addresses(node, path),
    )


def take_addresses(node: Mapping[str, Any], path: str) -> tuple[tuple[str, str], ...]:
    """Telephone, fax, X400, URI and e-mail of a contact, as (kind, text).

    Raises:
        UnreadableFile: one is not a list of texts.
    """
    found = []
    for name, kind in _ADDRESSES.items():
        texts = node.get(name) or []
        if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
            raise UnreadableFile(f"{path}/{name}: {texts!r} is not a list of texts.")
        found += [(kind, text) for text in texts]
    return tuple(found)


# -------------------------------------------------------------------------------------------------------------- writing


def write_header(header: Header, *, languages: Sequence[str] = (), speech: Speech | None = None) -> dict[str, Any]:
    """The ``meta`` object; ``prepared`` is now where it is None.

    Args:
        header: what it says. Sources, provider, action and the like have no place in SDMX-JSON's ``meta``.
        languages: the languages used anywhere in the message.
        speech: in which languages texts are written.
    """
    voice = speech or Speech()
    prepared = header.prepared or datetime.now(UTC).replace(microsecond=0)
    node: dict[str, Any] = {
        "id": header.id,
        "test": header.test,
        "prepared": prepared.isoformat().replace("+00:00", "Z"),
    }
    if languages:
        node["contentLanguages"] = list(languages)
    put_texts(node, "name", "names", header.names, voice)
    node["sender"] = _write_party(header.sender, voice)
    if header.receivers:
        node["receivers"] = [_write_party(one, voice) for one in header.receivers]
    return node


def _write_party(party: Party, speech: Speech) -> dict[str, Any]:
    node: dict[str, Any] = {"id": party.id}
    put_texts(node, "name", "names", party.names, speech)
    if party.contacts:
        node["contacts"] = [_write_contact(one, speech) for one in party.contacts]
    return node


def _write_contact(contact: Contact, speech: Speech) -> dict[str, Any]:
    node: dict[str, Any] = {} if contact.id is None else {"id": contact.id}
    put_texts(node, "name", "names", contact.names, speech)
    put_texts(node, "department", "departments", contact.departments, speech)
    put_texts(node, "role", "roles", contact.roles, speech)
    put_addresses(node, contact.addresses)
    return node


def put_addresses(node: dict[str, Any], addresses: tuple[tuple[str, str], ...]) -> None:
    """Write telephone, fax, X400, URI and e-mail: a list per kind."""
    for kind, text in addresses:
        node.setdefault(_ADDRESS_NAMES[kind], []).append(text)
