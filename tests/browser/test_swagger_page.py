"""Swagger UI in a browser, on both hosts."""

from __future__ import annotations


def test_the_operations_are_shown_from_packaged_files(host, show):
    """The pages lead to /docs, which renders the operations; nothing is fetched from elsewhere or refused by its policy."""
    page = show(host.address)
    page.click("text=API")
    page.wait_for_selector(".opblock:has-text('import-cycle')")
    assert page.url == f"{host.address}/docs"
    assert page.locator(".opblock").count() >= 10
