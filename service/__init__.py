"""The service: what owns the network and the history. Never touches hardware."""
