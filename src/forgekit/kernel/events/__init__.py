"""What happened, and what must happen because of it."""
