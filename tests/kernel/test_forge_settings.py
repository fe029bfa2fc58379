"""The forge's own settings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.configuration import ForgeSettings, without_password

passwords = st.text(min_size=8, max_size=30).filter(lambda text: text.isprintable() and "?" not in text)


@given(passwords)
def test_no_repr_holds_the_databases_password(password):
    """Whatever a password is made of, the settings' repr does not show it."""
    shown = repr(ForgeSettings(database_url=f"postgresql://forge:{password}@db.example:5432/forge"))
    assert "'postgresql://forge:****@db.example:5432/forge'" in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///forge.db", "'sqlite:///forge.db'"),
        ("sqlite://", "'sqlite://'"),
        ("postgresql://forge@db/forge", "'postgresql://forge@db/forge'"),
        ("postgresql://db/forge?password=secret", "'postgresql://db/forge?****'"),
    ],
)
def test_the_rest_of_an_address_shows(url, shown):
    """What is no password, and no option that may hold one, is shown."""
    assert without_password(url) == shown
