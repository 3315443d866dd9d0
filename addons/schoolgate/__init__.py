"""schoolgate filters a school's web traffic by the school's own policy and says which clause decided."""

__version__ = "0.1.0"
