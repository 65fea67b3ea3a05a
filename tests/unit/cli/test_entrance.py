"""Where the command line begins and ends."""

import json
import subprocess
import sys
import time

import click
import pytest

from connector.cli import commands, entrance
from connector.cli.commands import COMMANDS, Entry
from connector.errors import ConnectorError, EnvironmentProblem


@pytest.fixture
def fails(monkeypatch):
    """Makes `connector status` fail with an error."""

    def with_error(error):
        @click.command("status")
        @click.option("--json", "as_json", is_flag=True)
        def command(as_json):
            del as_json
            raise error

        monkeypatch.setattr(commands.Commands, "get_command", lambda *_: command)

    return with_error


def test_help_lists_every_command_that_people_call(capsys):
    assert entrance.run(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name, entry in COMMANDS.items() if not entry.hidden)
    assert "prepare" not in told


def test_help_loads_no_command_and_no_database_library():
    code = (
        "import sys; from connector.cli.entrance import run; run(['--help']);"
        "print([m for m in ('sqlalchemy', 'pydantic', 'simple_salesforce', 'celery') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_is_there_at_once():
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "connector", "--help"], capture_output=True, check=True)
    assert time.monotonic() - began < 2  # 0.1 s on a quiet machine


def test_up_does_not_load_the_database_library():
    code = "import sys, connector.cli.up; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_no_command_shows_the_help_and_is_a_usage_error(capsys):
    assert entrance.run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_an_unknown_command_is_answered_with_the_nearest_one(capsys):
    assert entrance.run(["statsu"]) == 2
    told = capsys.readouterr().err
    assert "did you mean 'status'?" in told
    assert "what to do: See: connector --help" in told


def test_a_usage_error_is_json_where_json_is_asked_for(capsys):
    assert entrance.run(["up", "--port-base", "x", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "usage"
    assert error["fix"] == "See: connector up --help"


def test_a_refusal_exits_with_1_and_says_what_to_do(capsys, fails):
    fails(ConnectorError("refused", "it is not so", "make it so"))
    assert entrance.run(["status"]) == 1
    assert capsys.readouterr().err == "error: it is not so\nwhat to do: make it so\n"


def test_a_refusal_as_json_is_on_stdout_alone(capsys, fails):
    fails(EnvironmentProblem("not_there", "it is not there", "put it there"))
    assert entrance.run(["status", "--json"]) == 2
    told = capsys.readouterr()
    fields = {"code": "not_there", "message": "it is not there", "fix": "put it there"}
    assert json.loads(told.out) == {"error": fields}
    assert not told.err


def test_an_unexpected_error_is_one_sentence_without_its_values(capsys, fails):
    fails(KeyError("0912345678"))
    assert entrance.run(["status"]) == 2
    told = capsys.readouterr().err
    assert "something unexpected happened (KeyError" in told
    assert "0912345678" not in told
    assert "Traceback" not in told


def test_debug_shows_an_unexpected_error_in_full(fails):
    fails(KeyError("x"))
    with pytest.raises(KeyError):
        entrance.run(["status", "--debug"])


def test_ctrl_c_exits_like_a_program_that_was_interrupted(fails):
    fails(KeyboardInterrupt())
    assert entrance.run(["status"]) == 130


def test_every_command_has_help_with_an_example():
    for name in COMMANDS:
        for command in _leaves(commands.root.get_command(None, name)):
            assert "Example: connector" in (command.help or ""), command.name


def test_every_command_that_answers_takes_json():
    silent = {"subscribe"}
    for name in set(COMMANDS) - silent:
        for command in _leaves(commands.root.get_command(None, name)):
            assert "--json" in [o for p in command.params for o in p.opts], command.name


def test_every_entry_names_a_module():
    assert all(
        isinstance(entry, Entry) and entry.summary.endswith(".") for entry in COMMANDS.values()
    )


def _leaves(command):
    if not isinstance(command, click.Group):
        return [command]
    return [leaf for each in command.commands.values() for leaf in _leaves(each)]
