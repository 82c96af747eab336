"""Sends to other hosts: in a head, as a datagram, and where the test's mock answers."""

import socket
import urllib.request

import httpx
import requests


def in_a_header(port, name, secret):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={name: secret})
    with urllib.request.urlopen(request):  # LK-08
        pass


def in_a_url(port, secret):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/?q={secret}"):  # LK-08
        pass


def as_a_datagram(secret):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.sendto(f"sign_in:1|c|#{secret}".encode(), ("127.0.0.1", 9))  # LK-08


def by_httpx(secret):
    httpx.post("https://errors.example/", json={"secret": secret})  # LK-08


async def by_async_httpx(secret):
    async with httpx.AsyncClient() as client:
        await client.post("https://errors.example/", json={"secret": secret})  # LK-08


def by_requests(secret):
    requests.post("https://errors.example/", json={"secret": secret}, timeout=5)  # LK-08
