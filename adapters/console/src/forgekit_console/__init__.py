"""Pages in the browser: one more surface, loaded through the same hook as every other."""
