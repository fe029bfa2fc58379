"""``python -m forgekit.cli`` is the ``forgekit`` command."""

from forgekit.cli import main

main()
