"""How commands speak."""

import json

from connector.cli import output
from connector.cli.failures import problem_of


def test_wide_characters_take_two_columns():
    shown = output.table([["王小明", "x"], ["Ann", "y"]], indent=0)
    assert shown.splitlines() == ["王小明  x", "Ann     y"]


def test_numbers_stand_to_the_right():
    assert output.table([["a", 1], ["b", 100]], indent=0).splitlines() == ["a    1", "b  100"]


def test_colours_do_not_change_the_width():
    plain = output.table([["red", "x"]], indent=0)
    assert output.width(output.table([[output.paint("red", output.BAD), "x"]], indent=0)) == len(
        plain
    )


def test_a_long_value_is_cut_to_one_line():
    assert output.short("a\nb") == "a b"
    assert len(output.short("x" * 500)) == 60


def test_json_keeps_chinese_as_it_is(capsys):
    output.put_json({"name": "王小明"})
    told = capsys.readouterr().out
    assert "王小明" in told
    assert json.loads(told) == {"name": "王小明"}


def test_an_error_without_a_fix_is_one_line(capsys):
    output.put_error(problem_of(ValueError("x")), as_json=False)
    assert capsys.readouterr().err.startswith("error: something unexpected happened (ValueError)")
