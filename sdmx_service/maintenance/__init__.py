"""Structures and registrations changed from outside: which changes are right, and what becomes of each."""
