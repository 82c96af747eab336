"""A mock of the same shape as ``requests_mock.mocker``, which the tests need not install."""

from contextlib import AbstractContextManager
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import requests
from requests.adapters import HTTPAdapter

_original_send = requests.Session.send
_SESSION: Any = requests.Session


class _RunRealHTTP(Exception):  # noqa: N818 - as the original
    """The mock wants the session itself to send the request."""


adapter = SimpleNamespace(_RunRealHTTP=_RunRealHTTP)


class _Adapter(HTTPAdapter):
    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:  # noqa: ANN401 - as the original
        if request.url not in self._texts:
            raise requests.ConnectionError(f"No mock address: {request.url}")
        answer = requests.Response()
        answer.status_code, answer.url = 200, request.url
        answer.raw = BytesIO(self._texts[request.url].encode())
        return answer


class Mocker(AbstractContextManager[None]):
    """Answers with these texts, by URL, in every session."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._adapter = _Adapter(texts)

    def __enter__(self) -> None:
        last_send = self._last_send = requests.Session.send

        def send(session: Any, request: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
            session.get_adapter = lambda url: self._adapter
            try:
                return _original_send(session, request, **kwargs)
            except _RunRealHTTP:
                pass
            finally:
                del session.get_adapter
            return last_send(session, request, **kwargs)

        _SESSION.send = send

    def __exit__(self, *_: object) -> None:
        _SESSION.send = self._last_send
