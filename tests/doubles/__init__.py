"""What stands in for something else in the tests: clients, receivers, servers, projects."""
