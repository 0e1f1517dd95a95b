"""Write the rules of ``../rules`` as VTL rulesets and statements, so that other engines can check with them.

Run it from the top of the project after a change of a rule: ``python -m dsd.vtl.build``. What cannot be said in VTL is
told in ``docs/rules.md``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from codelists.messages import AGENCY, write
from sdmx_service.catalog.rules import read_rules
from sdmx_service.catalog.vtl import schemes
from sdmx_service.formats.registry import named
from sdmx_service.model.message import Header, Message, Party, WriteOptions

HERE = Path(__file__).parent


def messages() -> dict[Path, dict[str, Any]]:
    """One message with the schemes of every rule set."""
    made = []
    for path in sorted((HERE.parent / "rules").glob("*.json")):
        made += schemes(read_rules(json.loads(path.read_text(encoding="utf-8")), path.name))
    header = Header(id="VTL_RULES", sender=Party(id=AGENCY), prepared=datetime(2026, 1, 1, tzinfo=UTC))
    written = named("structure-json-2.1").write
    assert written is not None
    body = b"".join(written(Message(header=header, structures=tuple(made)), WriteOptions(all_languages=True)))
    return {HERE / "VTL_RULES.json": json.loads(body)}


if __name__ == "__main__":
    for place, content in messages().items():
        write(place, content)
