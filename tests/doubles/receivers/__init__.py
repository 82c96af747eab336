"""Receivers to attack: good ones, and for each attack one that is broken in just that way."""
