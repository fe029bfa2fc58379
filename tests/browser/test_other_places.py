"""The pages where a host mounts them elsewhere, or serves them over WSGI."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
import uvicorn
from fastapi import FastAPI

from forgekit import Forge
from forgekit.hosting import application


class ThreadingServer(ThreadingMixIn, WSGIServer):
    """Serves each request on a thread."""

    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    """Serves without a word."""

    def log_message(self, *_args):
        """Say nothing."""


@contextmanager
def wsgi(app):
    """Serve with wsgiref at the root."""
    with make_server("127.0.0.1", 0, app.wsgi, server_class=ThreadingServer, handler_class=QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def asgi_below(app):
    """Serve with FastAPI below a path."""
    outer = FastAPI(openapi_url=None)
    outer.mount("/back/office", app.asgi)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(outer, log_level="error", proxy_headers=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/back/office"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def app(plane, tmp_path):
    """The surfaces of a forge in this process."""
    config = {"plane": {**plane.settings, "page_size": 4, "rate_limit": 10_000}}
    with Forge.open(f"sqlite:///{tmp_path}/forge.db", discover=True, config=config, environ={}) as forge:
        yield application(forge)


def test_below_a_path_every_address_holds(app, sprint, show, watch):
    """Styles, script, stream, actions and the link to the API work under a host's prefix."""
    with asgi_below(app) as address:
        page = show(address)
        page.click("#load-cycles")
        page.wait_for_selector("#import")
        assert page.evaluate("document.styleSheets.length") == 1
        page.click("text=Builds")
        page.wait_for_selector("body[data-live=yes]")
        assert page.url == f"{address}/console/builds"
        watch.refused.add(400)
        page.fill("#repository", "no-name")
        page.click("#start")
        page.wait_for_selector("#repository-problem")
        assert page.evaluate("document.styleSheets.length") == 1
        page.click("text=Sprint sync")
        page.wait_for_selector("#load-cycles")
        page.click("text=API")
        page.wait_for_selector(".opblock")
        page.context.close()


def test_without_a_stream_the_page_looks_by_itself(app, plane, sprint, context, watch):
    """Under WSGI, which has no streams, progress and results show all the same."""
    watch.refused.add(501)
    with wsgi(app) as address:
        page = context().new_page()
        page.goto(address)
        page.wait_for_selector("#line:has-text('Looks every few seconds')")
        page.click("#load-cycles")
        page.locator(".choices label", has_text=sprint[0]).first.click()
        page.fill("#project", sprint[1])
        plane.hold(path="/cycle-issues/", after=1)
        page.click("#import")
        page.wait_for_selector("#bar-label:has-text('of 10')")
        plane.heal()
        page.wait_for_selector(f"#result:has-text('{sprint[0]}')")
        page.click("text=Builds")
        page.wait_for_selector("#line:has-text('Looks every few seconds')")
        page.context.close()
