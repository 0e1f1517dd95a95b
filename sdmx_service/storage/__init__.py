"""Where figures, receipts, artefacts and principals are kept; everyone but ``app`` sees only ``port``."""
