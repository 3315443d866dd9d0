"""A soak: traffic of every kind for half an hour, while memory and descriptors are watched."""
