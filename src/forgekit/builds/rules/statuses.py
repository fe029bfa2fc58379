"""What the words of build systems mean."""

from __future__ import annotations

from collections.abc import Mapping

from forgekit.builds.models import Status

_WORDS: Mapping[Status, str] = {
    Status.PASSED: "passed pass success successful succeeded ok fixed completed",
    Status.FAILED: "failed failure fail broken unstable partiallysucceeded partially_succeeded",
    Status.ERRORED: "errored error startup_failure infrastructure_fail",
    Status.TIMED_OUT: "timed_out timedout timeout",
    Status.CANCELED: "canceled cancelled cancel cancellation canceling aborted stopped",
    Status.SKIPPED: "skipped skip neutral stale action_required not_run not_built blocked manual",
    Status.RUNNING: "running started in_progress inprogress executing finalizing",
    Status.QUEUED: "queued pending requested waiting created scheduled preparing waiting_for_resource",
}
_STATUS = {word: status for status, words in _WORDS.items() for word in words.split()}

_RESULTS: Mapping[Status, str] = {
    Status.PASSED: "success",
    Status.FAILED: "failure",
    Status.ERRORED: "error",
    Status.TIMED_OUT: "timeout",
    Status.CANCELED: "cancellation",
    Status.SKIPPED: "skip",
}


def parse_status(word: str) -> Status:
    """Return the status that a build system's word stands for.

    Understood are, in any case, the words of TravisTorrent, GitHub (status and conclusion), GitLab, Jenkins, CircleCI, Buildkite, Azure,
    Bitbucket, CDEvents and OpenTelemetry. A word that says no more than "it ended" and is no judgement (``neutral``, ``stale``,
    ``action_required``) counts as skipped.

    Raises:
        ValueError: Nobody uses this word.

    """
    try:
        return _STATUS[word.strip().lower().replace(" ", "_").replace("-", "_")]
    except KeyError:
        message = f"{word!r} is no status of a build"
        raise ValueError(message) from None


def otel_result(status: Status) -> str | None:
    """Return OpenTelemetry's ``cicd.pipeline.result`` for a status; None while the build has none."""
    return _RESULTS.get(status)
