"""A process that imports from a GitHub, to be killed: ``foreground`` stands still after the first builds, ``worker`` works on."""

from __future__ import annotations

import signal
import sys

import forgekit_github
import forgekit_sql
from forgekit import Forge


def _stand_still(done, total):
    sys.stdout.write(f"{done} of {total}\n")
    sys.stdout.flush()
    signal.pause()


def main():
    """Do what the command line says: what, the database, the GitHub's address, its token."""
    what, url, api_url, token = sys.argv[1:]
    config = {"github": {"api_url": api_url, "token": token, "rate_limit": 100_000}}
    with Forge.open(url, plugins=[forgekit_sql, forgekit_github], config=config, environ={}) as forge:
        if what == "foreground":
            forge.builds.import_github("acme/shop", progress=_stand_still)
        with forge.worker():
            forge.builds.request_import("github", "acme/shop")
            signal.pause()


if __name__ == "__main__":
    main()
