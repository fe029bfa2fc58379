"""The page of builds: imports, and what the builds come to."""
