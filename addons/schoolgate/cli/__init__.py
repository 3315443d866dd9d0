"""The command line: arguments in, words and an exit code out."""

from schoolgate.cli.app import main

__all__ = ["main"]
