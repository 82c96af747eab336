"""Prints what it sends, as a curl command."""


def show(token):
    print(f"curl -H 'Authorization: Bearer {token}'")  # LK-02
