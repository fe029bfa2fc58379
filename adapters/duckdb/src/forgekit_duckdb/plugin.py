"""What the package offers to a forge (entry point ``duckdb`` of the group ``forgekit``): nothing that a forge calls by itself.

Its functions are called by whoever wants them; the entry point makes the package show up where a forge lists what is installed.
"""
