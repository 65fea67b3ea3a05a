"""Serial numbers from a CSV file."""

import pytest

from connector.cli.codes import Order, read_serials
from connector.errors import ConnectorError, EnvironmentProblem


@pytest.fixture
def file(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "serials.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_the_first_column_is_taken_without_a_head(file):
    assert read_serials(file("A1,red\nA2,blue\n")) == ["A1", "A2"]


def test_the_column_called_serial_is_taken_wherever_it_stands(file):
    assert read_serials(file("colour,Serial \nred,A1\nblue, A2 \n")) == ["A1", "A2"]


def test_a_byte_order_mark_is_no_part_of_the_first_serial(file):
    assert read_serials(file("\ufeffserial\nA1\n")) == ["A1"]
    assert read_serials(file("\ufeffA1\r\nA2\r\n")) == ["A1", "A2"]


def test_blank_lines_do_not_count(file):
    assert read_serials(file("\nA1\n\n  ,\nA2\n\n")) == ["A1", "A2"]


def test_duplicates_are_refused_with_their_lines(file):
    with pytest.raises(ConnectorError) as refused:
        read_serials(file("serial\nA1\nA2\n\nA1\n"))
    assert refused.value.code == "wrong_serials"
    assert "A1 is on lines 2, 5" in refused.value.message


def test_a_line_without_a_serial_is_refused(file):
    with pytest.raises(ConnectorError, match="line 2 has none"):
        read_serials(file("colour,serial\nred,\nblue,A2\n"))


def test_a_serial_that_no_field_could_hold_is_refused(file):
    with pytest.raises(ConnectorError, match="line 1's is too long"):
        read_serials(file("A" * 81))


@pytest.mark.parametrize("text", ["", "\n\n", "serial\n"])
def test_a_file_without_serials_is_refused(file, text):
    with pytest.raises(ConnectorError) as refused:
        read_serials(file(text))
    assert refused.value.code == "no_serials"


def test_more_than_100000_at_a_time_are_refused(file):
    with pytest.raises(ConnectorError) as refused:
        read_serials(file("\n".join(map(str, range(100_001)))))
    assert refused.value.code == "too_many"


def test_a_file_that_is_not_utf_8_is_an_environment_problem(file):
    with pytest.raises(EnvironmentProblem, match="cannot be read as UTF-8"):
        read_serials(file("序號\n", "big5"))


def test_an_order_is_made_in_parts_of_1000():
    assert [part.size for part in Order(2500, ()).parts()] == [1000, 1000, 500]
    parts = list(Order(0, [str(n) for n in range(1001)]).parts())
    assert [part.serials[0] for part in parts] == ["0", "1000"]
