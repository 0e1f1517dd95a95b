"""The limits of the service as data: what a client reads instead of finding out (``/api/limits``)."""

from __future__ import annotations

from typing import Any

from sdmx_service.dissemination.bulk import KINDS
from sdmx_service.formats.arrangement import SORTED_ROWS
from sdmx_service.formats.registry import formats_for
from sdmx_service.formats.table import SHEET_ROWS
from sdmx_service.rest.bodies import MAX_MESSAGE
from sdmx_service.rest.negotiation import ENCODINGS
from sdmx_service.rest.service import Service

_RESOURCES = ("data", "availability", "structure", "schema", "metadata", "registration")
RETRY_AFTER = 2
"""Seconds after which a client that was answered 503 may try again."""


def _limit(value: int, status: int, what: str, remedy: str) -> dict[str, Any]:
    """One limit: its value, the status beyond it, what is counted, and what to do."""
    return {"value": value, "status_beyond": status, "what": what, "remedy": remedy}


def limits_of(service: Service) -> dict[str, Any]:
    """The limits in force, and the representations offered."""
    return {
        "limits": {
            "body_bytes": _limit(service.max_body, 413, "bytes of a submitted file", "Send it in parts."),
            "message_bytes": _limit(
                min(MAX_MESSAGE, service.max_body), 413, "bytes of a structure or registry message, unpacked",
                "Send fewer artefacts at once.",
            ),
            "address_characters": _limit(
                service.max_query, 414, "characters of path and query string", "Ask for fewer values at once."
            ),
            "open_answers": _limit(
                service.max_streams, 503, "answers sent at the same time, to all clients together",
                f"Try again after {RETRY_AFTER} seconds, as Retry-After says.",
            ),
            "cross_section_observations": _limit(
                SORTED_ROWS, 413, "observations of an answer with another dimension than time at the observation",
                "Narrow the query, or ask for time series or for AllDimensions.",
            ),
            "workbook_observations": _limit(
                SHEET_ROWS, 413, "observations of an answer as XLSX",
                "Narrow the query, or ask for SDMX-CSV or Parquet.",
            ),
        },
        "unlimited": {
            "observations": "An answer has no limit of observations and is streamed.",
            "requests": "Requests per client are not counted.",
        },
        "before_a_download": "GET /api/counts/v2/data/... tells series, observations and about how many bytes.",
        "everything_at_once": "GET /api/bulk lists one file per dataflow and release, with digest; Range works.",
        "only_what_changed": "updatedAfter in a data query gives inserts, updates and deletes.",
        "bulk_kinds": {name: kind.media_type for name, kind in KINDS.items()},
        "compression": list(ENCODINGS),
        "media_types": {
            api: {
                resource: [one.media_types[0] for one in formats_for(resource, api)]
                for resource in _RESOURCES
                if formats_for(resource, api)
            }
            for api in ("v2", "v1")
        },
    }  # fmt: skip
