"""Generated requests against what the document says of the builds surface."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks

pytestmark = [pytest.mark.host, pytest.mark.slow]

CONFIG = schemathesis.Config.from_dict({"checks": {"not_a_server_error": {"expected-statuses": ["2xx", "4xx"]}}})
SKIPPED = [
    checks.positive_data_acceptance,  # the schema cannot say that only queued builds need no start
    checks.missing_required_header,  # the key stands in every request here; tests of the guard leave it out
    checks.ignored_auth,  # likewise
]
OPERATIONS = [
    "POST /api/v1/builds", "GET /api/v1/analysis", "POST /api/v1/analyze", "GET /api/v1/health", "POST /api/v1/webhook/github",
    "POST /api/v1/webhook/generic",
]  # fmt: skip
SHAPELESS = {"GET /api/v1/health", "POST /api/v1/webhook/github", "POST /api/v1/webhook/generic"}
"""Operations that the document lets take anything: there is nothing to get wrong."""


@pytest.fixture(scope="module", params=["fastapi", "django"])
def fuzzed(request, spawn):
    """A host with a key that may call as often as it likes."""
    environment = {"FORGEKIT_API_KEYS": "made-up-key", "FORGEKIT_LIMITS": '{"builds.key": "unlimited"}'}
    host = spawn(request.param, environment=environment, arguments=("--surface", "builds"))
    yield host
    host.end()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", OPERATIONS)
def test_no_request_about_builds_gets_an_answer_beside_the_document(fuzzed, has_wrong_body, label, mode):
    """Right and wrong requests of each operation are answered as the document says, and never with a fault of ours."""
    if label in SHAPELESS and mode is GenerationMode.NEGATIVE:
        pytest.skip("nothing to get wrong")
    schema = schemathesis.openapi.from_url(f"{fuzzed.address}/openapi.json", config=CONFIG)
    found = {result.ok().label: result.ok() for result in schema.get_all_operations()}
    assert set(found) >= set(OPERATIONS)

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=found[label].as_strategy(generation_mode=mode))
    def explore(case):
        headers = {"Authorization": "Bearer made-up-key"}
        # Where some builds may be bad, an answer that lists them is the right one.
        taken = [] if has_wrong_body(case) and not (case.query or {}).get("partial") else [checks.negative_data_rejection]
        case.call_and_validate(headers=headers, excluded_checks=[*SKIPPED, *taken], timeout=60)

    explore()
    assert "Traceback" not in fuzzed.log
