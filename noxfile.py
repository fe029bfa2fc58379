"""Every chore of the project: ``python3 noxfile.py`` lints and tests, ``python3 noxfile.py -s NAME`` does one thing.

Needs nothing but Python 3.11 or later and pip: run as a program, it makes an environment of its own in ``.forgekit-venv``, with
nox and uv from the index at the versions that ``constraints.txt`` names, and starts again inside it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".forgekit-venv"
CONSTRAINTS = ROOT / "constraints.txt"
PYTHONS = ("3.11", "3.12", "3.13")


def restart_in_own_environment() -> NoReturn:
    """Replace this process by the same command under the project's own nox."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the reader may well have started an older Python
        sys.exit(f"forgekit needs Python 3.11 or later; this is {sys.version.split()[0]}")
    python = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / "made-for"
    wanted = f"{sys.version}\n{CONSTRAINTS.read_text()}"
    if not (python.exists() and stamp.is_file() and stamp.read_text() == wanted):
        make_environment(python)
        stamp.write_text(wanted)  # written last: an interrupted set-up starts afresh
    for leak in ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"):  # an active environment must not reach into the sessions
        os.environ.pop(leak, None)
    os.execv(python, [str(python), str(Path(__file__).resolve()), *sys.argv[1:]])


def make_environment(python: Path) -> None:
    """Make the environment that holds nox and uv."""
    print(f"forgekit: setting up {ENVIRONMENT.name} (once)", file=sys.stderr, flush=True)
    has_pip = importlib.util.find_spec("pip") is not None
    # Where pip can install for another interpreter, the environment does without one of its own; some systems lack ensurepip.
    subprocess.run([sys.executable, "-m", "venv", "--clear", *(["--without-pip"] if has_pip else []), str(ENVIRONMENT)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python)] if has_pip else [str(python), "-m", "pip"]
    subprocess.run([*pip, "install", "--quiet", "--disable-pip-version-check", "-c", str(CONSTRAINTS), "nox", "uv"], check=True)


if __name__ == "__main__" and Path(sys.prefix).resolve() != ENVIRONMENT:
    restart_in_own_environment()

import nox  # noqa: E402 - only there after the restart

nox.options.default_venv_backend = "uv"
nox.options.error_on_external_run = True
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests"]

os.environ.setdefault("UV_SYSTEM_CERTS", "true")  # as pip does: whom the system trusts, a company's proxy say, uv trusts too

ADAPTERS = sorted(path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("adapters/*/pyproject.toml"))
HEAVY = {"frames", "plots", "duckdb"}  # extras and adapters of hundreds of megabytes, which no host needs
EXAMPLES = sorted(path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("examples/*/__main__.py"))


def let_pyenv_shims_answer() -> None:
    """Name the pyenv versions whose shims ``tests-all`` may meet: a shim of a version that is not selected only prints an error."""
    chosen = [version for version in os.environ.get("PYENV_VERSION", "").split(":") if version]
    for wanted in PYTHONS:
        shim = shutil.which(f"python{wanted}")
        if shim is not None and Path(shim).parent.name == "shims":
            versions = Path(shim).parent.parent.glob(f"versions/{wanted}.*")
            chosen += sorted((path.name for path in versions if path.name not in chosen), reverse=True)[:1]
    if chosen:
        os.environ["PYENV_VERSION"] = ":".join(chosen)


let_pyenv_shims_answer()


def distributions(without: Collection[str] = ()) -> list[str]:
    """Name every distribution of this repository, with all its extras, as pip's arguments for an editable install."""
    import tomllib

    arguments: list[str] = []
    for folder in [".", *(adapter for adapter in ADAPTERS if Path(adapter).name not in without)]:
        project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        extras = ",".join(sorted(set(project.get("optional-dependencies", {})).difference(without)))
        arguments += ["-e", f"{folder}[{extras}]" if extras else folder]
    return arguments


def install(session: nox.Session, group: str, without: Collection[str] = ()) -> None:
    """Install everything of ours, editable, with what the named dependency group adds, at the pinned versions."""
    session.install("-c", "constraints.txt", "--build-constraints", "constraints.txt", "--group", group, *distributions(without))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, import arrows and that the generated reference is up to date."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    for example in EXAMPLES:  # one at a time: each is a program whose main module has the same name
        session.run("mypy", example)
    session.run("lint-imports")
    session.run("python", "docs/generate.py", "--check")


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test, two at a time, and require the coverage that pyproject.toml states."""
    install(session, "tests")
    session.run("python", "-m", "pytest", "-n", "2", "--dist", "loadfile", "--cov", *session.posargs)
    silence_nox()


def silence_nox() -> None:
    """Let pytest's summary be the last line of a run that went well; what goes wrong is still reported."""
    import logging

    logging.getLogger("nox").setLevel(logging.ERROR)


@nox.session(name="tests-all", python=PYTHONS)
def tests_all(session: nox.Session) -> None:
    """Run every test on every supported Python."""
    install(session, "tests")
    session.run("python", "-m", "pytest", "-n", "2", "--dist", "loadfile", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Run the property tests with far more examples, on fresh random input."""
    install(session, "tests")
    session.run("python", "-m", "pytest", "-n", "2", "-m", "hypothesis", *session.posargs, env={"HYPOTHESIS_PROFILE": "fuzz"})


@nox.session
def mutate(session: nox.Session) -> None:
    """Change the pure rules one expression at a time, and list the changes that no test noticed."""
    install(session, "mutate")
    session.run("mutmut", "run", *session.posargs)
    session.run("mutmut", "results")


@nox.session
def bench(session: nox.Session) -> None:
    """Run every benchmark beside its baseline."""
    install(session, "bench")
    for benchmark in session.posargs or sorted(str(path) for path in Path("tests/benchmarks").glob("bench_*.py")):
        session.run("python", benchmark)


@nox.session
def docs(session: nox.Session) -> None:
    """Write the generated reference pages anew and run the examples in all documents."""
    install(session, "tests")
    session.run("python", "docs/generate.py")
    session.run("python", "-m", "pytest", "-q", "README.md", "docs", "tests/architecture/test_documents.py")


@nox.session
def demo(session: nox.Session) -> None:
    """Show the main job: a sprint of a tracker becomes work here."""
    install(session, "hosts", without=HEAVY)
    session.run("python", "examples/demo", *session.posargs)


@nox.session
def serve(session: nox.Session) -> None:
    """Serve an example host: ``-s serve -- fastapi`` or ``-s serve -- django``, then the host's own arguments."""
    hosts = [Path(example).name.removesuffix("_host") for example in EXAMPLES if example.endswith("_host")]
    if not session.posargs or session.posargs[0] not in hosts:
        session.error(f"say which host: python3 noxfile.py -s serve -- {'|'.join(hosts)} [--port 8000 …]")
    install(session, "hosts", without=HEAVY)
    session.run("python", f"examples/{session.posargs[0]}_host", *session.posargs[1:])


@nox.session
def changelog(session: nox.Session) -> None:
    """Gather the fragments in ``changelog.d`` into CHANGELOG.md; ``-- --draft`` only shows the result."""
    install(session, "lint")
    session.run("towncrier", "build", *(session.posargs or ["--yes"]))


@nox.session(venv_backend="none")
def constraints(session: nox.Session) -> None:
    """Resolve everything that any session installs, on every supported Python, and pin it in constraints.txt."""
    from uv import find_uv_bin

    ours = distributions()
    # nox and uv run the sessions; hatchling and editables build our distributions.
    wanted = ["nox", "uv", "hatchling", "editables", *(f"-e {folder}" for folder in ours if folder != "-e")]
    requirements = ROOT / ".forgekit-venv" / "wanted.txt"
    requirements.write_text("\n".join(wanted) + "\n")
    groups = [argument for group in ("bench", "lint", "mutate") for argument in ("--group", group)]
    # One version a package for all Pythons ("fewest"), as a constraint file without markers cannot hold two.
    command = [find_uv_bin(), "pip", "compile", "--universal", "--fork-strategy", "fewest", "--python-version", PYTHONS[0]]
    resolved = session.run(*command, "--no-annotate", "--no-header", *groups, str(requirements), silent=True, external=True)
    pins = sorted({line.split(";")[0].strip() for line in str(resolved).splitlines() if re.match(r"[a-z0-9][a-z0-9._-]*==", line)})
    names = [pin.split("==")[0] for pin in pins]
    if len(names) != len(set(names)):
        session.error("a package would need two versions: constraints.txt can name only one")
    CONSTRAINTS.write_text("\n".join(pins) + "\n")


if __name__ == "__main__":
    sys.argv[1:1] = ["--noxfile", __file__]
    nox.main()
