"""What the technician and the school wrote down: the machine's settings and the school's policy."""

from schoolgate.settings.machine import Settings, load_settings
from schoolgate.settings.policy_file import load_policy

__all__ = ["Settings", "load_policy", "load_settings"]
