"""How an analysis is shown."""
