"""Everything that leaves the process over HTTP, and the limits on what goes out and comes in."""
