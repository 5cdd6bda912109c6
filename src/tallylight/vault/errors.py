"""What can go wrong with keys, frames, records and objects."""

from tallylight.errors import TallylightError


class VaultError(TallylightError):
    """Any failure of the vault."""

    code = "vault"


class FrameError(VaultError):
    """Bytes that are not a chunk frame of this format."""

    code = "vault_frame"


class RecordError(VaultError):
    """A record of the live log that is torn, damaged or not authentic."""

    code = "vault_record"


class SealedError(VaultError):
    """A sealed object that is truncated, changed, or opened with the wrong key."""

    code = "vault_sealed"


class ObjectError(VaultError):
    """An object that is missing, or that could not be written or removed."""

    code = "vault_object"


class KeyMissingError(VaultError):
    """A key that is needed is not there."""

    code = "key_missing"


class KeyCorruptError(VaultError):
    """A key that is there cannot be unwrapped: other master key, changed bytes or changed context."""

    code = "key_corrupt"


class KeyExposedError(VaultError):
    """A key file that other users of the machine can read."""

    code = "key_exposed"


class KeyForgottenError(VaultError):
    """A key that was dropped from memory because its track was sealed or erased."""

    code = "key_forgotten"
