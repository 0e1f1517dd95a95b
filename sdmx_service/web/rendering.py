"""Templates to HTML: autoescaped, strict about names, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sdmx_service.web import addresses
from sdmx_service.web.language import PAGE_LANGUAGES, Tongue

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"
TITLE = "Statistical data exchange"


def environment() -> Environment:
    """The templates of the pages."""
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(templates: Environment, template: str, tongue: Tongue, context: Mapping[str, Any]) -> bytes:
    """A page as UTF-8."""
    words = {
        "_": tongue.say,
        "name": tongue.name,
        "mark": tongue.mark,
        "number": tongue.number,
        "moment": tongue.moment,
        "link": partial(addresses.page, tongue=tongue),
        "page_of": partial(addresses.artefact_page, tongue=tongue),
        "tongue": tongue,
        "languages": PAGE_LANGUAGES,
        "title": TITLE,
    }
    return templates.get_template(template).render({**words, **context}).encode()
