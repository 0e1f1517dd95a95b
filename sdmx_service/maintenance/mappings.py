"""A mapping that comes from outside: its maps as new versions where they changed, its layout pointed at them.

*Choice*: an artefact that is so already stays; one whose version is stable becomes the next minor version above all
that there are, and what refers to it in the same mapping follows; any other is replaced. Nothing is overwritten that
may not change (SDMX 3.1, *Semantic Versioning*).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sdmx_service.auth import Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.layout import Layout, read_layout
from sdmx_service.catalog.library import Library, View
from sdmx_service.catalog.loading import Content, as_stored, serialise
from sdmx_service.errors import Busy, Conflict
from sdmx_service.maintenance.admission import Change, admit
from sdmx_service.maintenance.integrity import breaches
from sdmx_service.maintenance.structures import changed
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.mapping import StructureMap
from sdmx_service.model.urn import Ref, Version, select_versions

_ATTEMPTS = 20
_SHOWN = 3
"""Reasons that a refusal names."""
Done = Literal["unchanged", "created", "replaced", "new version"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What became of one part of a mapping: ``subject`` as it is now, ``before`` as it was sent."""

    subject: str
    done: Done
    before: str

    def to_json(self) -> dict[str, str]:
        """The result as the interface shows it."""
        return {"subject": self.subject, "done": self.done, "before": self.before}


def adopt_mapping(
    layout: Layout | None, artefacts: Sequence[Maintainable], library: Library, principal: Principal
) -> tuple[Adopted, ...]:
    """Keep a layout (None: there is none) and its maps; what became of each, in the order given, the layout last.

    Args:
        artefacts: representation maps and structure maps, those referred to before those that refer.

    Raises:
        NotAllowed: the principal may not maintain structures.
        Conflict: an artefact cannot be taken; the reason is named.
    """
    principal.must_maintain()
    for _ in range(_ATTEMPTS):
        view = library.view()
        plan = _Plan(view.catalog)
        for artefact in artefacts:
            plan.add(artefact)
        adopted = list(plan.adopted)
        layouts: dict[str, Layout] = {}
        if layout is not None:
            kept, done = plan.layout(layout)
            adopted.append(Adopted(subject=f"mapping {kept.id}", done=done, before=f"mapping {layout.id}"))
            layouts = {} if done == "unchanged" else {kept.id: kept}
        plan.check(library, view)
        content = Content(artefacts=[one.subject for one in plan.changes], layouts=layouts)
        if not content.artefacts and not content.layouts:
            return tuple(adopted)
        with suppress(Conflict):  # another change came between
            written = serialise(content)
            acts = [principal.does("change mapping", name) for name in written]
            library.store.save_artefacts(written, view.generation, acts)
            return tuple(adopted)
    raise Busy("Structures are being changed by others all the time.", hint="Try again soon.")


@dataclass(slots=True)
class _Plan:
    """What is to be written, and which references became which."""

    catalog: Catalog
    changes: list[Change] = field(default_factory=list)
    adopted: list[Adopted] = field(default_factory=list)
    renamed: dict[Ref, Ref] = field(default_factory=dict)

    def add(self, sent: Maintainable) -> None:
        """An artefact: unchanged, created, replaced, or a new version of it."""
        new = as_stored(self._following(sent))
        stored = self.catalog.artefacts.get(sent.ref)
        done: Done = "created"
        if stored is not None and as_stored(stored) == new:
            done = "unchanged"
        elif stored is not None and Version.parse(sent.version).is_stable:
            done, new = "new version", as_stored(replace(new, version=self._next(sent)))
            self.renamed[sent.ref] = new.ref
        elif stored is not None:
            done = "replaced"
        if done != "unchanged":
            self.changes.append(admit(new, stored if done == "replaced" else None))
        text = f"{new.type} {new.ref.text}"
        self.adopted.append(Adopted(subject=text, done=done, before=f"{sent.type} {sent.ref.text}"))

    def check(self, library: Library, view: View) -> None:
        """Refuse references to nothing, but those that an earlier version has too, and what would break others.

        Raises:
            Conflict: there is one.
        """
        after = changed(self.catalog, self.changes)
        for change in self.changes:
            new = change.subject
            known = {ref for version in self.catalog.versions(new.type, new.agency, new.id)
                     for ref in self.catalog.artefacts[new.ref.with_version(version)].references()}  # fmt: skip
            for ref in new.references():
                if ref not in known and after.lookup(ref) is None:
                    raise Conflict(f"{new.type} {new.ref.text} refers to {ref.type} {ref.text}, which is not here.")
        replaced = [one for one in self.changes if one.old is not None]
        if found := breaches(self.catalog, after, replaced, library.store, view.release) if replaced else ():
            raise Conflict(" ".join(one.text for one in found[:_SHOWN]))

    def layout(self, sent: Layout) -> tuple[Layout, Done]:
        """The layout with the maps as they are now called."""
        document: dict[str, Any] = copy.deepcopy(dict(sent.document))
        for table, said in zip(sent.tables, document.get("tables", ()), strict=False):
            followed = self._followed(table.map)
            if followed != table.map:
                said["map"] = followed.text
        stored = self.catalog.layouts.get(sent.id)
        if stored is None:
            return read_layout(document, sent.id), "created"
        if document == stored.document:
            return stored, "unchanged"
        if document["version"] == stored.document["version"]:
            document["version"] = _next_minor(document["version"])
        return read_layout(document, sent.id), "replaced"

    def _following(self, sent: Maintainable) -> Maintainable:
        if not isinstance(sent, StructureMap):
            return sent
        components = tuple(
            one
            if one.representation_map is None
            else replace(one, representation_map=self._followed(one.representation_map))
            for one in sent.components
        )
        return replace(sent, components=components)

    def _followed(self, ref: Ref) -> Ref:
        """The reference, or one to the new version where it would not be found."""
        if ref in self.renamed:
            return self.renamed[ref]
        for old, new in self.renamed.items():
            if (old.type, old.agency, old.id) == (ref.type, ref.agency, ref.id) and not ref.is_exact:
                versions = [*self.catalog.versions(ref.type, ref.agency, ref.id), new.version]
                return ref if select_versions((ref.version_pattern,), versions)[-1:] == [new.version] else new
        return ref

    def _next(self, sent: Maintainable) -> str:
        versions = self.catalog.versions(sent.type, sent.agency, sent.id)
        major = Version.parse(sent.version).numbers[0]
        same = [one for one in versions if Version.parse(one).numbers[0] == major and Version.parse(one).is_semantic]
        return _next_minor(max(same, key=Version.parse))


def _next_minor(version: str) -> str:
    numbers = (*Version.parse(version).numbers, 0)
    return f"{numbers[0]}.{numbers[1] + 1}.0"
