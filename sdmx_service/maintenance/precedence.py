"""Who is shown where several providers give the same key: the order of a dataflow's providers, set as a release."""

from __future__ import annotations

from collections.abc import Sequence

from sdmx_service.auth import Principal
from sdmx_service.catalog.library import Library
from sdmx_service.catalog.sources import Flow, with_precedence
from sdmx_service.errors import NotFound, SemanticFault
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.structure import Dataflow
from sdmx_service.storage.port import Record, Release


def set_precedence(
    library: Library, principal: Principal, *, dataflow: str, providers: Sequence[str] | None, comment: str = ""
) -> tuple[Release, Sequence[str]]:
    """Make a release in which these providers come first, in that order; the release, and the whole order.

    Args:
        dataflow: as people write references.
        providers: ``AGENCY.ID`` or ids, the first is shown, the others as structures say; None: nobody decides any
            more, so that this and later publications rank as the provision agreements say.
        comment: of the release.

    Raises:
        NotAllowed: the principal may not publish.
        NotFound: there is no such dataflow or provider.
        SemanticFault: a provider is named twice, or the agreements name none.
    """
    principal.must("rank")
    view = library.view()
    found = view.catalog.named(dataflow, "Dataflow")
    assert isinstance(found, Dataflow)
    flow = Flow.of(found, view.catalog)
    first = None if providers is None else [_named(one, flow) for one in providers]
    if twice := sorted({one for one in first or () if (first or []).count(one) > 1}):
        raise SemanticFault(f"{', '.join(twice)} is named twice.")
    ranking = with_precedence(library.store.ranking(view.release), flow, first)
    order = ranking.providers[flow.name]
    if not order or first == []:
        raise SemanticFault(f"No provider is named for {found.ref.text}.", hint="Name them, the first is shown.")
    said = comment or f"precedence of {found.ref.text}: {', '.join(order[:5])}{' ...' if len(order) > 5 else ''}"
    told = principal.does("rank", found.ref.text, comment, providers=order)
    release, _ = library.store.publish(
        (), view.release, ranking=ranking, comment=said, record=lambda number, changes: Record(acts=(told,))
    )
    return release, order


def _named(text: str, flow: Flow) -> str:
    known: dict[str, str] = {}
    for scheme in flow.catalog.of_type("DataProviderScheme"):
        assert isinstance(scheme, DataProviderScheme)
        for item in scheme.items:
            for form in (item.id, f"{scheme.agency}.{item.id}"):
                known.setdefault(form, f"{scheme.agency}.{item.id}")
    if text not in known:
        raise NotFound(f"There is no data provider {text!r}.", hint="Write AGENCY.ID.")
    return known[text]
