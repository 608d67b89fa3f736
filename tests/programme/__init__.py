"""Four simulated weeks of two wearers, through device and service."""
