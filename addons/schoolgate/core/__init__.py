"""The rules as values: no I/O, no clock, no logging, no framework; what they need comes in as arguments."""
