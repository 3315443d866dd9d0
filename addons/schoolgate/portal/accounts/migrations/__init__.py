"""The revisions of the accounts; one that was released is never edited."""
