"""The command line, the embedded broker and database, the demo: the place that sees both sides."""

__version__ = "0.1.0"
