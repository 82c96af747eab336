"""With httpx2 and requests: they are answered in process too."""

from typing import Any

import httpx2
import requests


def test_doors(turris: Any) -> None:
    """All three libraries are answered."""
    url = turris.base_url + "/.well-known/jwks.json"
    assert turris.doors == ("httpx", "httpx2", "requests")
    assert httpx2.get(url).status_code == requests.get(url, timeout=5).status_code == 200
