"""The command's root: options that every command shares, and how errors are told."""

from __future__ import annotations

from typing import Any

import click

from forgekit.cli.output import Output
from forgekit.cli.problems import exit_code, tell
from forgekit.errors import ForgekitError
from forgekit.forge import Forge

CONTEXT = {"help_option_names": ["-h", "--help"]}


class Session:
    """What the commands share: the forge, opened on first use, and the way to print.

    Attributes:
        database: URL from ``--database``; None for the environment's.
        output: Where results go.

    """

    def __init__(self, context: click.Context, database: str | None, output: Output) -> None:
        """Keep the parts; nothing is opened yet."""
        self._context = context
        self._forge: Forge | None = None
        self.database = database
        self.output = output

    @property
    def forge(self) -> Forge:
        """The forge; closed when the command ends."""
        if self._forge is None:
            self._forge = Forge.open(self.database, discover=True)
            self._context.call_on_close(self._forge.close)
        return self._forge


def _choose_json(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls it so
    if value:
        context.obj.output.as_json = True


class Command(click.Command):
    """A command that takes ``--json`` behind its name, too: that is where people type it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the option to the command's own."""
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(
                ["--json"], is_flag=True, expose_value=False, callback=_choose_json, help="Print the result as JSON, for programs."
            )
        )


class Group(click.Group):
    """A group whose commands are of this kind."""

    command_class = Command
    group_class = type


@click.group(cls=Group, context_settings=CONTEXT)
@click.option("--database", metavar="URL", help="Where the forge keeps what it knows (else FORGEKIT_DATABASE_URL, else ./forge.db).")
@click.option("--json", "as_json", is_flag=True, help="Print results as JSON, for programs.")
@click.version_option(package_name="forgekit-core", prog_name="forgekit")
@click.pass_context
def cli(context: click.Context, database: str | None, *, as_json: bool) -> None:
    """Work with a forge: sprints, webhooks, plugins.

    Exit codes: 0 done; 1 refused or failed; 2 the command line is wrong; 3 the configuration is wrong; 4 an outside system failed.
    """
    context.obj = Session(context, database, Output(as_json=as_json))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    from forgekit.cli import commands  # noqa: F401 - registers them

    try:
        code = cli.main(args=arguments, prog_name="forgekit", standalone_mode=False)
    except click.Abort:
        click.echo("stopped", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ForgekitError as error:
        tell(error)
        return exit_code(error)
    return code if isinstance(code, int) else 0
