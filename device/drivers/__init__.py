"""One file a chip: registers by their datasheet names, pins by what hangs on them. No policy."""
