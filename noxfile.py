"""The checks of this project, each in an environment of its own: ``nox -l`` lists them.

``.ci/run`` decides whether a change is good. ``lint``, ``types`` and ``tests`` do what
it does and a little more: files' hygiene, and the types of the tests. ``lowest`` runs
the tests with the lowest versions that are allowed.
"""

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "types", "tests", "docs"]
nox.options.reuse_existing_virtualenvs = True

# Tests run side by side: one thread each, or they wait for one another.
ENVIRONMENT = {"OMP_NUM_THREADS": "1"}


# Tests call things wrongly on purpose, patch what is private, and know which branch of
# a union they have; names, imports, arity of returns and the like are checked.
TOLERATED_IN_TESTS = (
    *("arg-type", "assignment", "attr-defined", "call-arg", "call-overload"),
    *("comparison-overlap", "index", "misc", "operator", "union-attr", "var-annotated"),
)


def install(session: nox.Session, constraints: str = "constraints.txt") -> None:
    """Install the package and what its checks need."""
    session.install("-c", constraints, "-e", ".[dev]")


@nox.session
def lint(session: nox.Session) -> None:
    """Style of the code, and hygiene of every file."""
    session.install("-c", "constraints.txt", "ruff", "pre-commit")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    # ruff has run: the hooks would mend where this only looks.
    hooks = {"SKIP": "ruff-check,ruff-format"}
    session.run("pre-commit", "run", "--all-files", env=hooks)


@nox.session
def types(session: nox.Session) -> None:
    """Annotations of the package, strictly, and use of the package by the tests."""
    install(session)
    session.run("mypy")
    off = [f"--disable-error-code={code}" for code in TOLERATED_IN_TESTS]
    session.run("mypy", "tests", *off)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests; arguments go to pytest: ``nox -s tests -- tests/metrics``."""
    install(session)
    session.install("-c", "constraints.txt", "-e", ".[river]")
    session.run("pytest", *session.posargs, env=ENVIRONMENT)


@nox.session(python="3.11")
def ecosystem(session: nox.Session) -> None:
    """The detectors within other libraries' machinery; see docs/ecosystem.md."""
    install(session)
    session.install("-e", ".[ecosystem]")  # with pandas as they need it
    # Their pins, such as TSB-AD's numpy below 2, are older than what they work with.
    unpinned = ("dtaianomaly==0.5.1", "tslearn", "toml", "TSB-AD==1.5", "patsy")
    session.install("--no-deps", *unpinned)
    session.run("pytest", "tests/compat/test_ecosystem.py", env=ENVIRONMENT)


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """All tests with the lowest version of every direct dependency."""
    install(session, "constraints-lowest.txt")
    session.run("pytest", *session.posargs, env=ENVIRONMENT)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into build/site, and run the code of the documents."""
    session.install("-c", "constraints.txt", "-e", ".[dev,docs]")
    session.run(
        *("python", "-m", "sphinx", "-W", "--keep-going", "docs", "build/site"),
        env={"SITE_NOTEBOOKS": "1"},
    )
    session.run(
        "pytest",
        "tests/test_site.py",
        "tests/test_documents.py",
        "tests/test_doctests.py",
        "tests/benchmark/test_docs.py",
        "tests/panel/test_docs.py",
        *session.posargs,
        env=ENVIRONMENT,
    )


@nox.session
def links(session: nox.Session) -> None:
    """Look whether the links of the site to other sites lead somewhere."""
    session.install("-c", "constraints.txt", "-e", ".[docs]")
    session.run("python", "-m", "sphinx", "-b", "linkcheck", "docs", "build/links")
