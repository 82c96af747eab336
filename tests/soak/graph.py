"""Draws what a run held, as a picture for the page."""

from collections.abc import Sequence
from pathlib import Path

from soak.process import Sample

_LINES = {"memory": ("memory, MiB", "#0969da"), "threads": ("threads", "#1a7f37"),
          "descriptors": ("descriptors", "#9a6700")}  # fmt: skip


def draw(samples: Sequence[Sample], file: Path) -> None:
    """Write the picture: a panel for each, by the requests that were answered."""
    # Only this command needs it: `make soak` installs it.
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "soak"  # the same samples give the same file
    figure, panels = plt.subplots(len(_LINES), sharex=True, figsize=(8, 5), layout="constrained")
    requests = [one.requests / 1e6 for one in samples]
    for panel, (kind, (label, colour)) in zip(panels, _LINES.items(), strict=True):
        panel.plot(requests, [getattr(one, kind) for one in samples], color=colour, linewidth=1)
        panel.set_ylabel(label)
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
    panels[-1].set_xlabel("requests, millions")
    figure.savefig(file, format="svg", metadata={"Date": None})
    plt.close(figure)
