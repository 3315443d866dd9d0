"""What makes the pages, by subject."""
