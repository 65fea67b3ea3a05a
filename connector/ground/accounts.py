"""Under which account PostgreSQL runs: it refuses the superuser, whom containers like to use."""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.errors import EnvironmentProblem

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Account:
    """The command prefix that gives up being superuser, and who then must own the data."""

    prefix: tuple[str, ...]
    uid: int
    gid: int


def plain() -> Account:
    """An ordinary user: nothing to give up."""
    return Account((), os.getuid(), os.getgid())


def mapped() -> Account:
    """The superuser as user 1000 of a user namespace: no account is made, files stay root's."""
    words = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
    return Account(words, os.getuid(), os.getgid())


def nobody() -> Account:
    """The account `nobody`, for containers that refuse user namespaces."""
    entry = pwd.getpwnam("nobody")
    user = ("setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
    # dac_override lets it below folders of mode 700; the securebit makes access() agree;
    # changing the user drops the death signal of the leash, so it is set again
    reach = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    rest = ("--securebits=+no_setuid_fixup", "--pdeathsig=INT", "--")
    return Account((*user, *reach, *rest), entry.pw_uid, entry.pw_gid)


@functools.cache
def for_server() -> Account:
    """The first account that works on this machine."""
    if os.getuid() != 0:
        return plain()
    for make in (mapped, nobody):
        account = make()
        if works(account):
            return account
    raise EnvironmentProblem(
        "superuser",
        "PostgreSQL does not run as root here",
        "run as an ordinary user, or set CONNECTOR_DATABASE_URL to a PostgreSQL server of yours",
    )


def works(account: Account) -> bool:
    """Whether this machine lets us run under this account."""
    if shutil.which(account.prefix[0]) is None:
        return False
    argv = [*account.prefix, "true"]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def own(path: Path, account: Account) -> None:
    """Hand a file or a whole folder to the account, if it is not its already."""
    if os.getuid() != 0 or path.stat().st_uid == account.uid:
        return
    for place in (path, *path.rglob("*")):
        os.chown(place, account.uid, account.gid, follow_symlinks=False)
