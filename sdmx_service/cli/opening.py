"""Opening the store for a command, or going to the service that holds it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

from sdmx_service.cli.held import Held, find_holder
from sdmx_service.errors import StorageFault
from sdmx_service.settings import Settings

Arguments = argparse.Namespace


def settings_of(arguments: Arguments) -> Settings:
    """The settings that a command's arguments say."""
    settings = Settings(data=arguments.data, store=arguments.store)
    if getattr(arguments, "content", None) is not None:
        settings = replace(settings, content=arguments.content)
    return settings


def with_library(
    arguments: Arguments,
    work: Callable[[Any], int],
    over_http: Callable[[Held], int] | None = None,
    *,
    with_models: bool = False,
) -> int:
    """Open the store, fill it if it is empty, run the work; ask the service that holds the store where one does.

    ``with_models``: the work removes read models that show too much.
    """
    from sdmx_service.app.memory import choose_memory, give_back
    from sdmx_service.app.stores import open_store
    from sdmx_service.catalog.library import Library

    choose_memory()
    settings = settings_of(arguments)
    try:
        opened = open_store(settings, with_models=with_models)
    except StorageFault:
        holder = find_holder(settings.data) if arguments.store is None else None
        if holder is None or over_http is None:
            raise
        return over_http(holder)
    with closing(opened) as store:
        library = Library(store)
        if store.pointer().generation == 0:
            library.fill(settings.content)
            give_back()
        return work(library)
