"""`python -m tallylight`."""

from tallylight.cli import main

if __name__ == "__main__":
    main()
