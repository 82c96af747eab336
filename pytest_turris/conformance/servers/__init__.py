"""Loopback servers where a client may go wrong: decoys, bad certificates, a proxy."""
