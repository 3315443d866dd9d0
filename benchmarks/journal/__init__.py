"""What the journal takes: bytes of a line on the disk, and how long figures and a person's record take."""
