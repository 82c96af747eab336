import socket

import pytest

from pytest_turris.receivers.egress import Destination, EgressRefused, check_egress


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The addresses that names resolve to in this test; any other name is an error."""
    known = {"localhost": ["::1", "127.0.0.1"]}

    def getaddrinfo(host: str, port: int, **_options: object) -> list[tuple[object, ...]]:
        if host not in known:
            raise socket.gaierror(f"{host} was resolved")
        return [(0, 0, 0, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("http://127.0.0.1", ("http", "127.0.0.1", 80, "127.0.0.1", "/")),
        ("https://127.9.9.9/a?b=c", ("https", "127.9.9.9", 443, "127.9.9.9", "/a?b=c")),
        ("http://[::1]:8000/", ("http", "::1", 8000, "::1", "/")),
        ("http://[::ffff:127.0.0.1]/", ("http", "::ffff:127.0.0.1", 80, "127.0.0.1", "/")),
        ("HTTP://LOCALHOST:1/x", ("http", "localhost", 1, "127.0.0.1", "/x")),
    ],
)
def test_loopback_is_open(
    url: str, destination: tuple[str, str, int, str, str], names: dict[str, list[str]]
) -> None:
    """This machine may be delivered to, at the address that was checked."""
    scheme, host, port, address, path = destination
    assert check_egress(url) == Destination(
        scheme=scheme,
        host=host,
        port=port,
        address=address,
        path=path,
        others=("::1",) if host == "localhost" else (),
    )


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "192.168.1.1",
        "8.8.8.8",
        "0.0.0.0",  # noqa: S104 - refused, not bound
        "100.64.0.1",
        "224.0.0.1",
        "192.88.99.1",
        "169.254.169.254",
        "[::]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::ffff:10.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[::127.0.0.1]",
        "[fe80::1]",
        "[fd00:ec2::254]",
    ],
)
def test_other_addresses_are_refused(host: str, names: dict[str, list[str]]) -> None:
    """No address but loopback passes: not what embeds it, and not what is merely private."""
    with pytest.raises(EgressRefused, match=r"not this machine|never allowed"):
        check_egress(f"http://{host}/")


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "0x7f.1", "a.0x", "127.0.0.1."]
)
def test_numbers_in_disguise_are_refused(host: str, names: dict[str, list[str]]) -> None:
    """Spellings that only some resolvers read as an address are refused before any does."""
    with pytest.raises(EgressRefused, match="disguise"):
        check_egress(f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:80",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://",
        "http:///path",
        "http://user@127.0.0.1/",
        "http://user:secret-word@127.0.0.1/",
        "http://@127.0.0.1/",
        "http://127.0.0.1/#fragment",
        "http://127.0.0.1/#",
        "http://127.0.0.1\\@allowed.example/",
        "http://127.0.0.1/\\",
        "http://loc%61lhost/",
        "http://[fe80::1%25lo]/",
        "http://①②⑦.0.0.1/",
        "http://127.0.0.1/é",
        "http://127.0.0.1/\r\nHost: x",
        "http://127.0.0.1/a b",
        " http://127.0.0.1/",
        "ht\ttp://127.0.0.1/",
        "http://127.0.0.1\x00.example/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:abc/",
        "http://[::1/",
        "http://[x]/",
        "http://[::1].evil.example/",
        "http://[::1]x:80/",
        "http://a[::1]/",
    ],
)
def test_ambiguous_urls_are_refused(url: str, names: dict[str, list[str]]) -> None:
    """What URL parsers disagree on is refused before anything is resolved, and not repeated."""
    with pytest.raises(EgressRefused, match="refused to send to") as refused:
        check_egress(url, allow=["127.0.0.1:80", "allowed.example:80"])
    assert "secret-word" not in str(refused.value)


@pytest.mark.parametrize(
    "host", ["secret.evil.example", "localhost.evil.example", "evillocalhost", "a..b", "a" * 64]
)
def test_refused_names_are_not_looked_up(host: str, names: dict[str, list[str]]) -> None:
    """A query would tell the name to a name server; the message says how to allow it."""
    with pytest.raises(EgressRefused, match=r"it is not this machine\. To send there, pass allow"):
        check_egress(f"http://{host}/")


@pytest.mark.parametrize("host", ["app.localhost", "a.b.LOCALHOST", "app.localhost."])
def test_names_below_localhost_are_this_machine(host: str, names: dict[str, list[str]]) -> None:
    """Nothing is asked about them: many resolvers would ask a name server (RFC 6761, 6.3)."""
    destination = check_egress(f"http://{host}:8000/")
    assert (destination.host, destination.address) == (host.lower(), "127.0.0.1")


def test_allowed_name_below_localhost_is_looked_up(names: dict[str, list[str]]) -> None:
    """The user has named it, and knows where it leads."""
    names["app.localhost"] = ["10.0.0.1"]
    assert check_egress("http://app.localhost/", allow=["app.localhost:80"]).address == "10.0.0.1"


def test_every_address_of_a_name_counts(names: dict[str, list[str]]) -> None:
    """A localhost that leads elsewhere is refused, in whatever order that comes."""
    for addresses in (["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"]):
        names["localhost"] = addresses
        with pytest.raises(EgressRefused, match=r"10\.0\.0\.1 is not this machine"):
            check_egress("http://app.localhost/")


def test_mapped_addresses_of_a_name(names: dict[str, list[str]]) -> None:
    """A name's mapped addresses count as the IPv4 ones they are."""
    names["localhost"] = ["::ffff:127.0.0.1"]
    assert check_egress("http://localhost/").address == "127.0.0.1"
    names["localhost"] = ["::ffff:8.8.8.8"]
    with pytest.raises(EgressRefused, match=r"8\.8\.8\.8"):
        check_egress("http://localhost/")


def test_allowed_by_name(names: dict[str, list[str]]) -> None:
    """An allowed host and port may lead elsewhere; the message says how to write it."""
    names["api.example"] = ["10.0.0.1"]
    with pytest.raises(EgressRefused, match=r"allow=\['api.example:443'\]"):
        check_egress("https://api.example/")
    assert check_egress("https://api.example/", allow=["API.example:443"]).address == "10.0.0.1"
    assert check_egress("http://[2001:db8::1]:8080/", allow=["[2001:db8::1]:8080"]).port == 8080
    for other in ("http://api.example/", "https://api.example:8443/"):
        with pytest.raises(EgressRefused):
            check_egress(other, allow=["api.example:443"])


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "64:ff9b::a9fe:a9fe",  # NAT64
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",  # 6to4
        "2001:0:0:0:0:0:5601:5601",  # Teredo
        "::169.254.169.254",
        "::ffff:0:a9fe:a9fe",  # SIIT
        "2001:db8::5efe:a9fe:a9fe",  # ISATAP
        "2001:db8::200:5efe:a9fe:a9fe",
        "64:ff9b:1:fffe::a9fe:a9fe",  # local NAT64, with prefixes of 96, 48, 56 and 64 bits
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:a9:fe:a9fe::",
        "64:ff9b:1:0:a9:fea9:fe00:0",
        "fd20:ce::254",
        "192.0.0.192",
        "64:ff9b::192.0.0.192",
    ],
)
def test_metadata_is_never_allowed(names: dict[str, list[str]], address: str) -> None:
    """Link-local and metadata addresses are refused even where their name is allowed."""
    names["metadata.example"] = [address]
    with pytest.raises(EgressRefused, match="never allowed"):
        check_egress("http://metadata.example/", allow=["metadata.example:80"])


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "nowhere.example"])
def test_names_that_do_not_resolve(host: str, names: dict[str, list[str]]) -> None:
    """An allowed name that no resolver takes is refused, with the resolver's error as the cause."""
    with pytest.raises(EgressRefused, match="does not resolve") as refused:
        check_egress(f"http://{host}/", allow=[f"{host}:80"])
    assert isinstance(refused.value.__cause__, socket.gaierror)


def test_the_translated_address_of_the_own_port_is_refused() -> None:
    """A translator on the way could send it back."""
    allow = ["[64:ff9b::7f00:1]:8791"]
    with pytest.raises(EgressRefused, match="that is the sandbox itself"):
        check_egress("http://[64:ff9b::7f00:1]:8791/", allow=allow, own_port=8791)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "::ffff:0.0.0.0", "127.0.0.1"])  # noqa: S104 - refused, not bound
def test_an_allowed_name_of_the_own_port_is_refused(
    names: dict[str, list[str]], address: str
) -> None:
    """A connection to the unspecified address reaches this machine."""
    names["mine.example"] = [address]
    allow = ["mine.example:8791", "mine.example:8792"]
    with pytest.raises(EgressRefused, match="that is the sandbox itself"):
        check_egress("http://mine.example:8791/", allow=allow, own_port=8791)
    assert check_egress("http://mine.example:8792/", allow=allow, own_port=8791).port == 8792


@pytest.mark.parametrize("address", ["64:ff9b:1::808:808", "2001:db8::5efe:808:808"])
def test_an_allowed_address_that_is_translated_is_open(
    names: dict[str, list[str]], address: str
) -> None:
    """Only what a translator makes a metadata address is refused."""
    names["api.example"] = [address]
    assert check_egress("http://api.example/", allow=["api.example:80"]).address == address


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.8.8.8", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_own_port_is_refused(host: str) -> None:
    """Nothing is sent to the sender's own port on this machine, under whatever name."""
    with pytest.raises(EgressRefused, match="that is the sandbox itself"):
        check_egress(f"http://{host}:8791/v1/webhooks", allow=[f"{host}:8791"], own_port=8791)
    assert check_egress(f"http://{host}:8792/", own_port=8791).port == 8792


def test_own_port_of_another_machine_is_open(names: dict[str, list[str]]) -> None:
    """The sandbox itself is at that port of this machine only."""
    names["api.example"] = ["192.0.2.1"]
    reached = check_egress("http://api.example:8791/", allow=["api.example:8791"], own_port=8791)
    assert reached.address == "192.0.2.1"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http:///hook", "its host or port cannot be read"),
        ("http://127.0.0.1%2f.example/", "it is empty or percent-encoded; write it in plain"),
        ("http://[::1].example/", "its host or port cannot be read"),
        ("ftp://127.0.0.1/", "scheme 'ftp': only http and https are possible"),
        ("127.0.0.1:8000/hook", "it has no scheme; write http://127.0.0.1:8000/hook"),
    ],
)
def test_refusal_says_what_is_wrong_with_the_url(url: str, words: str) -> None:
    """Each mistake has words of its own, so that it can be mended."""
    with pytest.raises(EgressRefused) as refused:
        check_egress(url)
    assert words in str(refused.value)
