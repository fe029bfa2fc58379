"""A process that imports from a GitHub, by itself or with a worker, and stands still once the first builds are stored, to be killed."""

from __future__ import annotations

import sys
import threading

import forgekit_github
import forgekit_sql
from forgekit import Forge
from forgekit.builds.events import BuildsSubmitted


def _stand_still(event):
    print(event.accepted, flush=True)
    threading.Event().wait()


def main():
    """Do what the command line says: what, the database, the GitHub's address, its token."""
    what, url, api_url, token = sys.argv[1:]
    config = {"github": {"api_url": api_url, "token": token, "rate_limit": 100_000}}
    with Forge.open(url, plugins=[forgekit_sql, forgekit_github], config=config, environ={}) as forge:
        forge.on(BuildsSubmitted, _stand_still)
        if what == "foreground":
            forge.builds.import_github("acme/shop")
        with forge.worker():
            forge.builds.request_import("github", "acme/shop")
            threading.Event().wait()


if __name__ == "__main__":
    main()
