"""Tests of rights: tokens, accounts, sessions, and who is recognised through OpenID Connect."""
