"""The root of every error a person may read.

ConnectorError            refused or found wrong; exit code 1
    EnvironmentProblem    usage or environment; exit code 2
"""


class ConnectorError(Exception):
    """One sentence on what is wrong, and one on what to do."""

    exit_code = 1

    def __init__(self, code: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix


class EnvironmentProblem(ConnectorError):
    """The machine, a setting or the way a command was called stands in the way."""

    exit_code = 2
