"""The way in: receive, map, validate, stage, decide, receipt."""
