"""The doctor: examines a belt part by part and says of each whether it may be trusted, and why."""
