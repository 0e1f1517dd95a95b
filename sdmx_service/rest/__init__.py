"""HTTP for machines: negotiation, answers (framework-free), problems, streaming, handlers."""
