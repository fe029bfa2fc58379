"""Generated requests against the document that each host serves."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks

from forgekit.testing import FakePlane

pytestmark = [pytest.mark.host, pytest.mark.slow]

CONFIG = schemathesis.Config.from_dict({"checks": {"not_a_server_error": {"expected-statuses": ["2xx", "4xx", 502]}}})
SKIPPED = [
    checks.positive_data_acceptance,  # the schema cannot say which addresses, keys and ids there are
    checks.missing_required_header,  # the token stands in every request here; tests of the guard leave it out
]
OPERATIONS = [
    "GET /api/plane/config", "POST /api/plane/config", "POST /api/plane/test-connection", "GET /api/plane/cycles",
    "POST /api/plane/import-cycle", "GET /api/plane/sync-status", "POST /api/plane/sync/toggle", "POST /api/plane/complete-sprint",
    "GET /api/plane/test-report", "POST /api/plane/webhooks",
]  # fmt: skip
PLAIN = {"GET /api/plane/config", "POST /api/plane/test-connection", "GET /api/plane/sync-status", "POST /api/plane/sync/toggle"}
"""Operations without parameters and body."""
SHAPELESS = {*PLAIN, "POST /api/plane/webhooks"}
"""Operations that the document lets take anything: there is nothing to get wrong."""


@pytest.fixture(scope="module", params=["fastapi", "django"])
def fuzzed(request, spawn, unlimited):
    """A host with a token and a Plane, without a webhook secret: what is sent is read."""
    with FakePlane(rate_limit=None) as plane:
        host = spawn(request.param, environment={**unlimited, "FORGEKIT_HOST_TOKEN": "t"})
        host.api.headers["Authorization"] = "Bearer t"
        yield host, plane
        host.end()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", OPERATIONS)
def test_no_request_gets_an_answer_beside_the_document(fuzzed, has_wrong_body, label, mode):
    """Right and wrong requests of each operation are answered as the document says, and never with a fault of ours."""
    host, plane = fuzzed
    if label in SHAPELESS and mode is GenerationMode.NEGATIVE:
        pytest.skip("nothing to get wrong")
    host.configure(plane, plane_webhook_secret=None)
    schema = schemathesis.openapi.from_url(f"{host.address}/openapi.json", config=CONFIG)
    found = {result.ok().label: result.ok() for result in schema.get_all_operations()}
    assert set(found) >= set(OPERATIONS)

    @settings(max_examples=5 if label in PLAIN else 25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=found[label].as_strategy(generation_mode=mode))
    def explore(case):
        taken = [] if has_wrong_body(case) else [checks.negative_data_rejection]
        case.call_and_validate(headers={"Authorization": "Bearer t"}, excluded_checks=[*SKIPPED, *taken], timeout=60)

    explore()
    assert "Traceback" not in host.log
