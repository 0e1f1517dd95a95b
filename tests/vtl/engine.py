"""Runs a VTL script with ``vtlengine`` and prints what its checks found; a program of its own.

``vtlengine`` is under the AGPL: it is a tool of the tests, asked in a process of its own, and nothing of the service
imports it. Reads ``{"script": ..., "structures": ..., "data": {name: rows}}`` from standard input, prints
``{result: rows}`` for the persistent-looking results (those whose names end in ``_R`` and a number).
"""

from __future__ import annotations

import json
import re
import sys


def main() -> None:
    import pandas as pd
    from vtlengine import run

    wish = json.load(sys.stdin)
    columns = {one["name"]: [part["name"] for part in one["DataStructure"]] for one in wish["structures"]["datasets"]}
    data = {name: pd.DataFrame(rows, columns=columns[name]) for name, rows in wish["data"].items()}
    found = run(
        script=wish["script"], data_structures=wish["structures"], datapoints=data, return_only_persistent=False
    )
    told = {
        name: json.loads(result.data.to_json(orient="records"))
        for name, result in found.items()
        if re.search(r"_R\d*$", name) and result.data is not None
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
