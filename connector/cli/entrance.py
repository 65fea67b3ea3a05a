"""Where the command line begins and ends: arguments in, an exit code out.

Every error leaves here as one sentence and what to do, or as JSON where `--json` was asked for.
Exit codes: 0 done, 1 findings or refused, 2 usage or environment.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from connector.cli import failures, output
from connector.cli.commands import root

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Never

DEBUG = "--debug"
INTERRUPTED = 130


def main() -> Never:
    """Run the command that the process was called with."""
    sys.exit(run(sys.argv[1:]))


def run(argv: Sequence[str]) -> int:
    """Run one command and say its exit code."""
    args = [word for word in argv if word != DEBUG]
    try:
        done = root.main(args, prog_name="connector", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        output.say(error.format_message())
        return 2
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if DEBUG in argv:
            raise
        problem = failures.problem_of(error)
        output.put_error(problem, as_json="--json" in args)
        return problem.exit_code
    return done if isinstance(done, int) else 0
