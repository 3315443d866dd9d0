"""`python -m schoolgate` is the `schoolgate` command."""

from schoolgate.cli import main

main()
