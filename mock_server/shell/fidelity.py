"""``turris-sandbox fidelity``."""

import click


@click.command()
def fidelity() -> None:
    """Print how closely the sandbox matches Turris, and what is only assumed."""
    from mock_server.shell.tables import print_table
    from pytest_turris.core.fidelity import FIDELITY

    print_table(
        ("Topic", "What the sandbox does", "How it is known", "Source", "Option"),
        [
            (
                row.topic,
                row.what,
                row.provenance,
                row.source,
                ", ".join(row.options) or row.no_option or "-",
            )
            for row in FIDELITY
        ],
    )
