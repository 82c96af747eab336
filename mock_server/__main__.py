"""``turris-sandbox``, or ``python -m mock_server``."""

import sys

from mock_server import interruption


def main() -> None:
    """Run the command line. Its imports are here, so that Ctrl-C prints no traceback."""
    interruption.end_by_signals()
    try:
        _run()
    except KeyboardInterrupt:
        sys.stderr.write("\nturris-sandbox: interrupted\n")
        sys.exit(130)  # `INTERRUPTED`; importing it could be interrupted too
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            _report(error)
        sys.exit("turris-sandbox needs an extra: pip install 'pytest-turris[server]'")
    except Exception as error:  # noqa: BLE001 - whatever it is, its exit status is not a verdict's
        _report(error)


def _run() -> None:
    if "serve" in sys.argv[1:2] and sys.argv[2:3] not in (["--help"], ["-h"]):
        from mock_server import starting  # noqa: PLC0415 - no other command needs it

        starting.begin()
    from mock_server.shell.cli import app  # noqa: PLC0415 - it needs click

    for stream in (sys.stdout, sys.stderr):
        # The encoding of a pipe may lack the characters of a table's lines. No verdict is lost
        # because of that.
        if stream is not None:  # it may be closed
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # text streams of files
    app()


def _report(error: Exception) -> None:
    """Print an error of the command itself, with where it happened."""
    import traceback  # noqa: PLC0415 - only then

    from mock_server.exit_status import INTERNAL_ERROR  # noqa: PLC0415 - as above

    traceback.print_exception(error)
    sys.stderr.write(f"turris-sandbox: internal error, please report it: {error!r}\n")
    sys.exit(INTERNAL_ERROR)


if __name__ == "__main__":
    main()
