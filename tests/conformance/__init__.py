"""A conformance kit for SDMX-REST services: a checklist as requests and expectations against any base address.

``python -m tests.conformance http://host/sdmx [--token T] [--json FILE] [--markdown FILE]``. It knows nothing of this
program: it discovers structures and figures from the service itself, asks for parts of them, and works out from what it
got before what each answer must hold. Bodies are judged by the official schemas.
"""
