"""The way out: what a query means (``plan``), data, availability, structures; no HTTP in here."""
