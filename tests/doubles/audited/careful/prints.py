"""Prints the command that reads the token from the environment."""


def show(token):
    print('curl -H "Authorization: Bearer $TURRIS_TOKEN"')
