"""`python -m gridwarden` is the command line."""

from gridwarden.cli import main

raise SystemExit(main())
