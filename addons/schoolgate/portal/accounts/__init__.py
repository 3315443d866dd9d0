"""Accounts and their roles: all that Django keeps in the database, with the sessions."""
