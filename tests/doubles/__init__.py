"""Test doubles: clients, receivers, servers, projects."""
