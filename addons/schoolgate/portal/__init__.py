"""The pages for people; the only package that knows Django, which keeps accounts and sessions alone."""
