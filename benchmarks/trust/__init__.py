"""What a trust of many schools costs its centre, measured on one machine."""
