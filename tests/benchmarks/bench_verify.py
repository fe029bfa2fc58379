"""Verify and parse GitHub webhooks, beside what programs do by hand and beside other libraries.

Every way takes its turn on all payloads, round by round, so that the machine's mood hits all alike: read the ratios, not the rates.
The dedup key is measured apart, for no other way has one: it takes a second hash of the body.
The payloads are recorded ones where they lie beside the repository, else made here.
"""

from __future__ import annotations

import hmac
import importlib
import importlib.util
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forgekit.testing.signing import PayloadSigner
from forgekit.webhooks.signatures import SigningSecret, payload, verifier_for

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings" / "github"
SECRET = "benchmark"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
ROUNDS = 41
REPEAT = 3
BASELINE = "hmac.new + json.loads"

Pairs = list[tuple[bytes, bytes]]
Loads = Callable[[bytes], Any]
Way = Callable[[Pairs, bytes], Any]


def synthetic_payloads(count: int = 12) -> list[bytes]:
    """Return JSON of the size and the mix of a workflow run's."""
    chance = random.Random(1)

    def user() -> dict[str, Any]:
        parts = ("events", "followers", "gists", "repos")
        urls = {f"{part}_url": f"https://api.github.example/users/someone/{part}{{/other}}" for part in parts}
        return {"login": "someone", "id": chance.randrange(10**8), "type": "User", "site_admin": False, **urls}

    def run(number: int) -> dict[str, Any]:
        steps = [{"name": f"Step {i}", "status": "completed", "number": i, "conclusion": None} for i in range(chance.randrange(10, 60))]
        content = {"id": number, "steps": steps, "message": "Füge Tests hinzu\n" * 5}
        return {"action": "completed", "workflow_run": content, "actors": [user() for _ in range(12)]}

    return [json.dumps(run(number), indent=2).encode() for number in range(count)]


def payloads() -> list[tuple[str, bytes]]:
    """Return the recorded payloads, or synthetic ones, each with its event's name."""
    recorded = [(path.name.split(".")[0], path.read_bytes()) for path in sorted(RECORDINGS.glob("*.json"))]
    return recorded or [("workflow_run", body) for body in synthetic_payloads()]


def requests() -> list[tuple[Pairs, bytes]]:
    """Return signed requests as an ASGI server hands them over: pairs of bytes, in lower case, with the usual other headers."""
    signer = PayloadSigner("github", SECRET)
    others = {
        "host": "forge.example",
        "user-agent": "GitHub-Hookshot/044aadd",
        "accept": "*/*",
        "accept-encoding": "gzip",
        "content-type": "application/json",
        "x-github-hook-id": "292430182",
        "x-github-hook-installation-target-id": "79929171",
        "x-github-hook-installation-target-type": "repository",
    }
    signed = [(signer.sign(body, NOW, event=event, delivery_id=f"delivery-{i}"), body) for i, (event, body) in enumerate(payloads())]
    return [([(name.lower().encode(), value.encode()) for name, value in (others | own).items()], body) for own, body in signed]


def by_hand(loads: Loads) -> Way:
    """Return what a program without a library does."""

    def way(headers: Pairs, body: bytes) -> Any:
        expected = "sha256=" + hmac.new(SECRET.encode(), body, "sha256").hexdigest()
        if not hmac.compare_digest(expected, dict(headers)[b"x-hub-signature-256"].decode()):
            raise ValueError(expected)
        return loads(body)

    return way


def by_forgekit(loads: Loads, *, with_key: bool = False) -> Way:
    """Return forgekit's way; with the dedup key too if asked, which hashes the body a second time."""
    verify = verifier_for("github", [SigningSecret(id="only", value=SECRET)]).verify

    def way(headers: Pairs, body: bytes) -> Any:
        payload.loads = loads
        webhook = verify(headers, body, NOW)
        return webhook.json(), with_key and webhook.dedup_key

    return way


def by_gidgethub() -> Way:
    """Return gidgethub's way, which wants text in a mapping."""
    sansio = importlib.import_module("gidgethub.sansio")
    return lambda headers, body: sansio.Event.from_http({name.decode(): value.decode() for name, value in headers}, body, secret=SECRET)


def by_githubkit() -> Way:
    """Return githubkit's way, which builds typed models."""
    webhooks = importlib.import_module("githubkit.webhooks")

    def way(headers: Pairs, body: bytes) -> Any:
        found = dict(headers)
        if not webhooks.verify(SECRET, body, found[b"x-hub-signature-256"].decode()):
            raise AssertionError(found)
        try:
            return webhooks.parse(found[b"x-github-event"].decode(), body)
        except ValueError:  # its models are stricter than some real payloads
            return None

    return way


def ways() -> dict[str, Way]:
    """Return every way that can run here, by name."""
    found = {BASELINE: by_hand(json.loads), "forgekit, json": by_forgekit(payload.loads_stdlib)}
    found["forgekit, json, dedup key"] = by_forgekit(payload.loads_stdlib, with_key=True)
    if (fast := payload.loads_orjson) is not None:
        found |= {"hmac.new + orjson": by_hand(fast), "forgekit, orjson": by_forgekit(fast)}
        found["forgekit, orjson, dedup key"] = by_forgekit(fast, with_key=True)
    for name, make in {"gidgethub": by_gidgethub, "githubkit": by_githubkit}.items():
        if importlib.util.find_spec(name) is not None:
            found[name] = make()
    return found


def seconds(way: Way, signed: Sequence[tuple[Pairs, bytes]], *, repeat: int = REPEAT) -> float:
    """Return the processor's time that the way takes for all requests: a busy machine does not count against it."""
    start = time.process_time()
    for _ in range(repeat):
        for headers, body in signed:
            way(headers, body)
    return time.process_time() - start


def main() -> None:
    """Measure and print a table."""
    signed, found = requests(), ways()
    times: dict[str, list[float]] = {name: [] for name in found}
    for round_number in range(ROUNDS):
        order = list(found)
        for name in order[round_number % len(order) :] + order[: round_number % len(order)]:
            times[name].append(seconds(found[name], signed))
    size = sum(len(body) for _, body in signed) // len(signed)
    print(f"{len(signed)} payloads of {size} bytes on average, {ROUNDS} rounds; ratio of rates to {BASELINE}, median (quartiles)")
    for name, taken in sorted(times.items(), key=lambda item: statistics.median(item[1])):
        ratios = [base / own for base, own in zip(times[BASELINE], taken, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        rate = REPEAT * len(signed) / statistics.median(taken)
        print(f"{name:30} {middle:5.2f} ({low:.2f} to {high:.2f})   {rate:8.0f}/s")


if __name__ == "__main__":
    main()
