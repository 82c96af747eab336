"""``turris-sandbox``, or ``python -m mock_server``."""

import sys


def main() -> None:
    """Run the command line; without the extra ``server``, print how to install it."""
    try:
        from mock_server.cli import app  # noqa: PLC0415 - it needs the extra `server`
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit("turris-sandbox needs an extra: pip install 'pytest-turris[server]'")
    app()


if __name__ == "__main__":
    main()
