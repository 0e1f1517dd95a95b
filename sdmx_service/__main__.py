"""``python -m sdmx_service`` is ``sdmx-service``."""

import sys

from sdmx_service.cli import main

if __name__ == "__main__":
    sys.exit(main())
