"""What judging a page by what it says costs and finds, beside others."""
