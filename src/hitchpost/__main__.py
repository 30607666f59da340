"""`hitchpost` and `python -m hitchpost`: the command line."""

from hitchpost.cli import app


def main() -> None:
    """Run one command and exit with its code."""
    app(prog_name="hitchpost")


if __name__ == "__main__":
    main()
