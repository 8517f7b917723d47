"""Command-line commands of the marketplace."""
