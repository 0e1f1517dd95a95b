"""SDMX-REST text to :mod:`sdmx_service.model.query` and back, as pure functions.

``v2`` speaks SDMX-REST 2.2, ``v1`` SDMX-REST 1.5; each has ``parse(path, query_string) -> Query`` and its inverse
``format(query) -> (path, query_string)``. Both take and give **raw**, percent-encoded text: in SDMX-REST ``+`` and
``,`` are operators, which a web framework's decoded query has already lost.
"""
