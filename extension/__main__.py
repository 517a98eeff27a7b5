"""`python -m extension` is the command line `timetravel`."""

from extension.cli import main

main()
