"""Submitted once: what an office need not send any more, since a partner's figures for it are published."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.sources import Flow
from sdmx_service.dissemination.sources import givers, precedence
from sdmx_service.model.selection import dataflow_name
from sdmx_service.model.structure import Dataflow
from sdmx_service.storage.port import Store


class Partners:
    """Who else has given the figures that offices report for themselves; read once per dataflow.

    Args:
        store: read at its current release.
    """

    def __init__(self, catalog: Catalog, store: Store) -> None:
        self._catalog, self._store = catalog, store
        self._release = store.pointer().release
        self._found: dict[str, _Known | None] = {}

    @cached_property
    def _flows(self) -> Mapping[str, Dataflow]:
        """The latest version of each dataflow, as storage names it."""
        flows = (one for one in self._catalog.of_type("Dataflow") if isinstance(one, Dataflow))
        return {dataflow_name(one.ref): one for one in flows}

    def of(self, provider: str, dataflow: str, year: int) -> str | None:
        """The partner whose figures of that year are published for what the provider reports for; None if none are.

        Args:
            provider, dataflow: as storage names them.
        """
        if dataflow not in self._found:
            flow = self._flows.get(dataflow)
            self._found[dataflow] = (
                None if flow is None else _Known(Flow.of(flow, self._catalog), self._store, self._release)
            )
        known = self._found[dataflow]
        return None if known is None else known.partner(provider, str(year))


class _Known:
    """What is known of one dataflow."""

    def __init__(self, flow: Flow, store: Store, release: int) -> None:
        self._homes = flow.homes()
        self._order = precedence(flow, store, release) if self._homes else []
        self._givers = {
            dimension: givers(flow, dimension, store, release)
            for dimension in ({of for of, _ in self._homes.values()} if self._order else ())
        }

    def partner(self, provider: str, year: str) -> str | None:
        """The first of the partners in the order of precedence."""
        home = self._homes.get(provider)
        if home is None or home[0] not in self._givers:
            return None
        given = self._givers[home[0]].get((home[1], year), frozenset())
        return next((one for one in self._order if one in given and one != provider), None)
