"""The later life of a submission: who signs it off, when it comes out, what replaces it, and who did what."""
