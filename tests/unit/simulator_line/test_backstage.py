"""Control endpoints, text messages, and what outlives a restart."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from simulator.line.platform import Platform, Settings
from tests.doors import free_port

from .stage import LIFF_ENDPOINT, TIMEOUT, Line

ROOT = Path(__file__).parents[3]


def sms(line: Line, to: str = "+886912345678", text: str = "驗證碼 123456") -> requests.Response:
    token = line.get("/_simulator/credentials").json()["sms_token"]
    headers = {"Authorization": f"Bearer {token}"}
    return line.post("/sms/v1/messages", {"to": to, "text": text}, headers=headers)


def test_credentials_name_the_account(line: Line) -> None:
    kept = line.get("/_simulator/credentials").json()
    assert kept["provider_id"] == "1"
    assert set(kept["official_accounts"][0]) == {
        *("bot_user_id", "basic_id", "channel_id", "channel_secret", "login_channel_id"),
        *("login_channel_secret", "liff_id", "webhook_url"),
    }
    assert line.account["basic_id"] == "@sim"
    assert line.account["liff_id"] == "1234567890-AbcdEfgh"


def test_a_user_needs_a_name(line: Line) -> None:
    assert line.post("/_simulator/users", {"display_name": " "}).status_code == 422
    assert line.post("/_simulator/users", {"display_name": "Amy"}).status_code == 201


def test_an_unknown_user_has_no_chat_and_no_token(line: Line) -> None:
    assert line.get("/_simulator/users/U0/chat").status_code == 404
    assert line.post("/_simulator/users/U0/id-token").status_code == 404


def test_a_text_message_is_read_by_phone_number(line: Line) -> None:
    assert sms(line).status_code == 202
    sms(line, to="+886900000000")
    (kept,) = line.get("/_simulator/sms?phone=%2B886912345678").json()
    assert (kept["to"], kept["text"]) == ("+886912345678", "驗證碼 123456")
    assert line.get("/_simulator/sms?phone=%2B886911111111").json() == []


def test_the_gateway_refuses_strangers_and_nonsense(line: Line) -> None:
    headers = {"Authorization": "Bearer wrong"}
    body = {"to": "+886912345678", "text": "x"}
    assert line.post("/sms/v1/messages", body, headers=headers).status_code == 401
    assert sms(line, to="0912345678").status_code == 400
    assert sms(line, text="").status_code == 400


def test_a_tap_shows_its_words_only_on_the_phone(line: Line) -> None:
    user = line.user()
    line.happens(user, type="postback", data="consent:service", display_text="我同意")
    assert line.chat(user) == []
    assert line.get(f"/_page/state?user={user}").json()["items"][0]["text"] == "我同意"


def test_a_reset_empties_the_world_and_keeps_the_credentials(line: Line) -> None:
    before, user = line.get("/_simulator/credentials").json(), line.user()
    sms(line)
    line.push(user)
    assert line.post("/_simulator/reset").status_code == 204
    assert line.get(f"/_simulator/users/{user}/chat").status_code == 404
    assert line.get("/_simulator/sms").json() == []
    assert line.get("/_simulator/credentials").json() == before


def test_the_pages_are_not_logged_as_calls(line: Line) -> None:
    line.get("/")
    line.get("/_page/phone.css")
    assert line.get("/_simulator/calls").json() == []


def test_the_world_is_found_again(tmp_path: Path) -> None:
    settings = Settings("http://127.0.0.1:9", LIFF_ENDPOINT, tmp_path)
    first = Platform(settings)
    oa = first.provider.accounts[0].bot_user_id
    user = first.world.add_person("王小明", "ja").user_id
    first.world.give_reply_token("token", oa, user, 10**15)
    first.world.show(oa, user, "out", "push", {"type": "text", "text": "hi"})
    first.world.accept(oa, "key", "request", None)
    second = Platform(settings)
    assert second.provider == first.provider
    assert second.world.state == first.world.state
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@contextmanager
def process(data: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "simulator", "line", "--port", str(port), "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:  # noqa: S603 - our own command
        try:
            yield running
        finally:
            running.kill()


def answers(port: int) -> str:
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            requests.get(f"{url}/_simulator/credentials", timeout=TIMEOUT)
        except requests.ConnectionError:
            time.sleep(0.02)
        else:
            return url
    pytest.fail("the simulator did not start")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_with_an_open_stream(
    tmp_path: Path, number: signal.Signals
) -> None:
    port = free_port()
    with process(tmp_path, port) as running:
        url = answers(port)
        with requests.get(f"{url}/_page/stream", stream=True, timeout=TIMEOUT) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith(b"data:")
            sent = time.monotonic()
            running.send_signal(number)
            assert running.wait(timeout=5) == 0
            assert time.monotonic() - sent < 1
        assert running.stderr is not None
        assert running.stderr.read() == ""


def test_users_are_there_again_after_a_kill(tmp_path: Path) -> None:
    port = free_port()
    with process(tmp_path, port) as running:
        body = {"display_name": "小明"}
        answer = requests.post(f"{answers(port)}/_simulator/users", json=body, timeout=TIMEOUT)
        running.send_signal(signal.SIGKILL)
        running.wait()
    with process(tmp_path, port):
        chat = f"{answers(port)}/_simulator/users/{answer.json()['user_id']}/chat"
        assert requests.get(chat, timeout=TIMEOUT).json() == []


def test_a_taken_port_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with process(tmp_path, port) as running:
            assert running.wait(timeout=10) == 2
            assert running.stderr is not None
            text = running.stderr.read()
    assert text == f"Cannot listen on 127.0.0.1:{port}: address already in use.\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_one_clear_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with process(tmp_path / "data", free_port()) as running:
        assert running.wait(timeout=10) == 2


def test_a_broken_data_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "line-accounts.json").write_text("{}")
    with process(tmp_path, free_port()) as running:
        assert running.wait(timeout=10) == 2
        assert running.stderr is not None
        assert running.stderr.read().startswith(f"The data folder {tmp_path} holds files")
