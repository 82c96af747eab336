"""``turris-sandbox``, or ``python -m mock_server``."""

import sys
import traceback

from mock_server.exit_status import INTERNAL_ERROR


def main() -> None:
    """Run the command line; without the extra ``server``, print how to install it."""
    try:
        from mock_server.shell.cli import app  # noqa: PLC0415 - it needs the extra `server`
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit("turris-sandbox needs an extra: pip install 'pytest-turris[server]'")
    for stream in (sys.stdout, sys.stderr):
        # A pipe may have an encoding that lacks the lines of tables: no verdict is lost for it.
        if stream is not None:  # it may be closed
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # text streams of files
    try:
        app()
    except Exception as error:  # noqa: BLE001 - whatever it is, its exit status is not a verdict's
        traceback.print_exc()
        sys.stderr.write(f"turris-sandbox: internal error, please report it: {error!r}\n")
        sys.exit(INTERNAL_ERROR)


if __name__ == "__main__":
    main()
