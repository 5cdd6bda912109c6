"""`python -m tests.fuzz.run MODULE SECONDS FOLDER`: one target under atheris (coverage-guided); finds go to FOLDER."""

import importlib
import sys

import atheris


def main() -> None:
    name, seconds, folder = sys.argv[1:4]
    with atheris.instrument_imports(include=["tallylight"]):
        target = importlib.import_module(name)
    atheris.Setup(
        [sys.argv[0], f"-max_total_time={seconds}", "-max_len=2048", "-verbosity=0", f"-artifact_prefix={folder}/"],
        target.fuzz_one,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
