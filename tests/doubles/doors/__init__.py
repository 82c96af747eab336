"""Clients and servers for the contract suite of the doors."""
