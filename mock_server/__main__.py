"""``turris-sandbox``, or ``python -m mock_server``."""

import sys

from mock_server import interruption
from mock_server.standard_streams import OutputError, prepare_streams


def main() -> None:
    """Run the command line. Its imports are here, so that Ctrl-C prints no traceback."""
    interruption.end_by_signals()
    try:
        prepare_streams()
        _run()
    except KeyboardInterrupt:
        sys.stderr.write("\nturris-sandbox: interrupted\n")
        sys.exit(130)  # `INTERRUPTED`; importing it could be interrupted too
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            _report(error)
        sys.exit("turris-sandbox needs an extra: pip install 'pytest-turris[server]'")
    except OutputError as error:
        sys.exit(f"turris-sandbox: cannot write to standard output: {error.strerror}")
    except Exception as error:  # noqa: BLE001 - whatever it is, its exit status is not a verdict's
        _report(error)


def _run() -> None:
    if "serve" in sys.argv[1:2] and sys.argv[2:3] not in (["--help"], ["-h"]):
        from mock_server import starting  # noqa: PLC0415 - no other command needs it

        starting.begin()
    from mock_server.shell.cli import app  # noqa: PLC0415 - it needs click

    for stream in (sys.stdout, sys.stderr):
        # Those of a program that runs this one may lack the characters of a table's lines, too.
        if stream is not None:
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # text streams of files
    app()


def _report(error: Exception) -> None:
    """Print an error of the command itself, with where it happened."""
    import traceback  # noqa: PLC0415 - only then

    from mock_server.exit_status import INTERNAL_ERROR  # noqa: PLC0415 - as above
    from pytest_turris.core.text.printable import printable, printable_lines  # noqa: PLC0415 - as above
    from pytest_turris.process.control_token import without_control_token  # noqa: PLC0415 - as above

    said = without_control_token("".join(traceback.format_exception(error)))
    sys.stderr.write(printable_lines(said))
    reported = printable(without_control_token(repr(error)))
    sys.stderr.write(f"turris-sandbox: internal error, please report it: {reported}\n")
    sys.exit(INTERNAL_ERROR)


if __name__ == "__main__":
    main()
