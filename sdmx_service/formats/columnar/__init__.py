"""Columnar files: an Arrow stream and Parquet (*extension*)."""
