"""What comes of a belt in Home Assistant: `./dev test --home-assistant`."""
