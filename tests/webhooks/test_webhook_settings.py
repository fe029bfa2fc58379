from __future__ import annotations

import pytest

from forgekit.errors import EmptySecret
from forgekit.kernel.settings import Settings
from forgekit.webhooks.settings import WebhookSettings


def _load(secrets=None, environ=None):
    explicit = {} if secrets is None else {"webhooks": {"secrets": secrets}}
    return Settings(None, sealer=pytest.fail, explicit=explicit, environ=environ or {}).load(WebhookSettings)


def test_a_provider_may_have_several_secrets():
    """What stands behind a stroke names a secret of the same provider; a secret may hold spaces."""
    found = _load({"github": "a b", "github/old": "c", "slack": "d"}).signing_secrets
    assert {name: [(secret.id, secret.value) for secret in secrets] for name, secrets in found.items()} == {
        "github": [("github", "a b"), ("github/old", "c")],
        "slack": [("slack", "d")],
    }


def test_the_environment_gives_them_as_json():
    """One variable holds them all."""
    assert _load(environ={"FORGEKIT_WEBHOOK_SECRETS": '{"github": "x"}'}).secrets == {"github": "x"}


def test_none_are_given_by_default():
    """Without configuration there are no secrets, so nobody outside is believed."""
    assert _load().signing_secrets == {}


def test_an_empty_secret_is_an_error():
    """It must not look like no secret at all."""
    with pytest.raises(EmptySecret):
        _load({"github": ""}).signing_secrets  # noqa: B018


def test_secrets_never_show():
    """The text of the settings names the providers alone."""
    assert repr(_load({"github": "hidden"})) == "WebhookSettings(secrets of github)"
