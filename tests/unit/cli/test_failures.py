"""What went wrong, in one sentence."""

import click
import psycopg
import sqlalchemy.exc

from connector.cli.failures import problem_of
from connector.errors import ConnectorError


def _from_database(error, kind=sqlalchemy.exc.OperationalError):
    return kind("SELECT secret", {"phone": "0912345678"}, error)


def test_our_own_errors_stay_as_they_are():
    error = ConnectorError("a", "b", "c")
    assert problem_of(error) is error


def test_a_database_that_does_not_answer_is_an_environment_problem():
    problem = problem_of(_from_database(psycopg.OperationalError("connection refused")))
    assert (problem.code, problem.exit_code) == ("postgres", 2)
    assert "CONNECTOR_DATABASE_URL" in problem.fix


def test_missing_tables_mean_that_the_database_must_be_migrated():
    error = psycopg.errors.UndefinedTable("no table")
    problem = problem_of(_from_database(error, sqlalchemy.exc.ProgrammingError))
    assert problem.code == "migrations"
    assert "connector prepare" in problem.fix


def test_no_statement_and_no_value_is_ever_shown():
    error = _from_database(psycopg.errors.NumericValueOutOfRange("x"), sqlalchemy.exc.DataError)
    problem = problem_of(error)
    assert problem.code == "unexpected"
    assert "0912345678" not in problem.message
    assert "SELECT" not in problem.message


def test_a_wrong_file_is_a_usage_error():
    assert problem_of(click.FileError("x.csv")).exit_code == 2
