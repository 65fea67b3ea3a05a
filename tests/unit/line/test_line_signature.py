"""Who signed a body."""

import hmac
import json
from base64 import b64encode
from pathlib import Path

import pytest

from connector.line.signature import signed_by

VECTORS = Path(__file__).parents[4] / "shared/contracts/line/webhooks/signature-vectors.json"
BODY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'


def sign(secret: str, body: bytes = BODY) -> str:
    return b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def test_a_documented_vector_is_known(new_account):
    account = new_account("a", channel_secret="8c570fa6dd201bb328f1c1eac23a96d8")
    assert signed_by([account], BODY, "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=") is account


def test_recorded_vectors_are_judged_as_recorded(new_account):
    if not VECTORS.exists():
        pytest.skip("the recordings do not lie beside this checkout")
    for vector in json.loads(VECTORS.read_bytes()):
        account = new_account("a", channel_secret=vector["channelSecret"])
        found = signed_by([account], vector["body"].encode(), vector["signature"])
        assert (found is account) is vector["valid"]


def test_the_account_is_the_one_whose_secret_signs(new_account):
    first, second = new_account("first"), new_account("second")
    assert signed_by([first, second], BODY, sign("secret-second")) is second


def test_both_secrets_are_good_during_rotation(new_account):
    account = new_account("a", channel_secret="new", previous_channel_secret="old")
    assert signed_by([account], BODY, sign("new")) == account
    assert signed_by([account], BODY, sign("old")) == account


def test_a_changed_body_is_signed_by_no_one(account):
    assert signed_by([account], BODY + b" ", sign("secret-shop")) is None


@pytest.mark.parametrize("signature", ["", "x", "簽名", "\udcff"])
def test_a_strange_signature_is_refused_not_an_error(account, signature):
    assert signed_by([account], BODY, signature) is None


def test_an_unset_secret_signs_nothing(new_account):
    account = new_account("a", channel_secret="", previous_channel_secret="")
    assert signed_by([account], BODY, b64encode(b"").decode()) is None
    empty = b64encode(hmac.digest(b"", BODY, "sha256")).decode()
    assert signed_by([account], BODY, empty) is None


def test_secrets_are_not_shown_by_repr(new_account):
    shown = repr(new_account("a", channel_secret="hush", previous_channel_secret="psst"))
    assert "hush" not in shown and "psst" not in shown
