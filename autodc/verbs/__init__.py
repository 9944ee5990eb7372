"""One file a use case, each also a Python call."""
