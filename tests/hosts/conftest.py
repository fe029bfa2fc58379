"""What the tests with generated requests share."""

from __future__ import annotations

import pytest
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation


def _has_wrong_body(case):
    body = case.meta.components.get(ParameterLocation.BODY)
    return body is not None and body.mode is GenerationMode.NEGATIVE


@pytest.fixture(scope="session")
def has_wrong_body():
    """Tell whether a request was generated with a wrong body: unknown parameters and headers, which it may have too, are ignored."""
    return _has_wrong_body
