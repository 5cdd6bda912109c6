"""The root of every room's error family."""


class TallylightError(Exception):
    """Something a person has to know: a stable `code` for programs and a message that says what to do."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
