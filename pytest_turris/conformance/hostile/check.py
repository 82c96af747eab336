"""A hostile answer as a check of clients: why a client must cope with it, and how."""

from dataclasses import dataclass

from pytest_turris.core.faults.hostile.answer import HostileAnswer
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
from pytest_turris.core.levels import Level
from pytest_turris.core.text.docs_links import page


@dataclass(frozen=True, slots=True)
class HostileCheck:
    """One hostile answer, with its why and fix."""

    answer: HostileAnswer

    @property
    def id(self) -> str:
        """``AR-27``."""
        return self.answer.id

    @property
    def title(self) -> str:
        """What the answer is."""
        return self.answer.title

    @property
    def level(self) -> Level:
        """How serious it is if a client cannot cope."""
        return self.answer.level

    @property
    def does(self) -> str:
        """What the client gets."""
        return f"Gives the client: {self.answer.title}."

    @property
    def expects(self) -> str:
        """What a client should do."""
        return self.answer.expects

    @property
    def why(self) -> str:
        """What goes wrong for a client that cannot cope."""
        return ADVICE[self.answer.id][0]

    @property
    def fix(self) -> str:
        """How to fix a client."""
        return ADVICE[self.answer.id][1]

    @property
    def source(self) -> str:
        """The source of the answer."""
        return self.answer.source

    @property
    def help_uri(self) -> str:
        """The answer on the page of all hostile answers."""
        return page("reference/hostile-answers", self.answer.id.lower())


_BUSY = "The client sends requests in a hot loop, or sleeps for days, and looks hung either way."
_RETRY_BOUND = "Limit the number of tries of each call, and pause before each but the first retry."
_RETRIED = "A request that can never succeed is repeated, and uses up the limit."
_OWN_ERROR = "Raise one error of your own for every answer that you cannot read."
_CRASH = "The caller gets an error that no documentation names, and cannot handle it."
_MEMORY = "One answer takes all memory, or blocks a worker forever."

ADVICE: dict[str, tuple[str, str]] = {
    "AR-01": ("The documentation disagrees with itself about the status of a success.",
              "Take every status from 200 to 299 for a success."),
    "AR-02": (_CRASH, "Check that the token is a non-empty text before you keep it."),
    "AR-03": ("The HTTP library's error shows the token, and it reaches the logs.",
              "Check the characters of the token before you put it into a header."),
    "AR-04": ("The vendor's sample and reference disagree about the name and place of the token.",
              "Read data.accessToken; raise an error of your own if it is missing."),
    "AR-05": ("A proxy's error page is parsed as data, or crashes the client.", _OWN_ERROR),
    "AR-06": (_CRASH, "Catch ValueError and RecursionError around the JSON parser."),
    "AR-07": (_MEMORY, "Read the body in pieces, and stop at a limit of decoded bytes."),
    "AR-08": (_MEMORY, "Read the body in pieces, and stop at a limit of bytes and of time."),
    "AR-09": ("An empty answer is taken for an empty result.",
              "Raise an error for every success that lacks the data you asked for."),
    "AR-10": ("The client follows redirects forever.",
              "Do not follow redirects, or count them."),
    "AR-11": ("A token can expire or be revoked while a call is under way; the user sees an error.",
              "On a 401, get a new token and repeat the call once."),
    "AR-12": (_RETRIED, "Give the second 401 of a call to the caller."),
    "AR-13": ("A new token has the same permissions, and the retry only uses up the limit.",
              "Give a 403 to the caller."),
    "AR-14": (_RETRIED, "Retry 429 and 5xx only."),
    "AR-15": ("Control characters in a message write lines of their own into the log.",
              "Check the type of errorMessage, cut it, and replace control characters."),
    "AR-16": ("The credential reaches the logs through the text of an error.",
              "Remove your own credentials from every text of the server that you show."),
    "AR-17": ("A short outage of one server shows as an error to the user.",
              "Repeat a GET after a pause."),
    "AR-18": ("The client hangs, and keeps the servers down.", _RETRY_BOUND),
    "AR-19": ("One odd header crashes the client, or makes it sleep for a century.",
              "Accept digits and HTTP dates, limit the wait, and catch OverflowError."),
    "AR-20": ("The write happens twice.",
              "Repeat a write with its own key only, and not after the hour that a key is kept."),
    "AR-21": (_RETRIED, "Give a 400 to the caller."),
    "AR-22": ("A notice about the future breaks the client today.",
              "Log the notice and go on; give a 410 to the caller."),
    "AR-23": ("The documented pages disagree about the envelope, so any of them may come.",
              "Read data, and require no other member."),
    "AR-24": ("A proxy may remove the headers, and then every call fails.",
              "Treat rate limit headers as optional."),
    "AR-25": ("The next request is refused too, and prolongs the limit.",
              "Wait until the reset that X-RateLimit-Reset names."),
    "AR-26": (_BUSY, "Pause between your tries, whatever the header says; a second is enough."),
    "AR-27": (_BUSY, "Limit the wait, and treat a value out of range as missing."),
    "AR-28": (_CRASH, "Accept ASCII digits only; without a value, pause by your own back-off."),
    "AR-29": (_BUSY, "Limit the wait from below and above: clocks differ."),
    "AR-30": ("Each wait is short, but together they block a worker forever.",
              "Give each call a budget of time for all its tries together."),
    "AR-31": ("The client asks too early and is refused again.", "Wait for the later of the two."),
    "AR-32": ("A limit on token requests becomes an outage of every call.",
              "Use the old token until it expires."),
    "AR-33": ("One silent server blocks a worker forever.",
              "Set a timeout of two minutes at most for each read, and a deadline for each call."),
    "AR-34": ("One user sees, or changes, the data of another.",
              "Compare the id in the answer with the id that you asked for."),
    "AR-35": ("State that the API does not define travels with later requests.",
              "Turn the cookie jar of the session off."),
    "AR-36": ("Anyone who can redirect the traffic can read the credentials.",
              "Keep the verification of certificates on, and require TLS 1.2."),
    "AR-37": (_MEMORY, "Limit the size of the header, and set a deadline for the whole call."),
    "AR-38": ("The token goes to another server, or the client pages forever.",
              "Follow a link to your own origin only, and stop when a page comes again."),
}  # fmt: skip
"""Why a client must cope with each answer, and how to fix one that cannot."""

CHECKS = {id_: HostileCheck(answer) for id_, answer in CATALOGUE.items()}
"""All hostile answers as checks, by id."""
