"""The command line, the embedded broker and database, the demo: the only place to see both sides."""

__version__ = "0.1.0"
