"""The soak: a real agent at work for half an hour, its memory flat. `make soak`."""
