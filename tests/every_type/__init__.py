"""A small content with at least one artefact of every type of SDMX-REST 2.2 and 1.5: an invented apiary, agency ``BEES``.

``artefacts.every_artefact()`` gives the artefacts, ``house.write_content(folder)`` a content folder (``serve`` and
``init`` read it), ``house.open_apiary(folder)`` a whole service without HTTP with data in it.
"""
