"""Pictures that another device reads: QR codes (ISO/IEC 18004) as SVG within a page."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_code(text: str) -> Markup:
    """A text as an ``svg`` element: dark on white in any colour scheme, without style or script, sized by the page.

    To people the page says beside it what it is, so that it is hidden from who has a page read aloud.
    """
    made = segno.make(text, error="m", micro=False)
    svg = made.svg_inline(dark="#000", light="#fff", border=4, omitsize=True, svgclass="qr", lineclass=None)
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704 - made here
