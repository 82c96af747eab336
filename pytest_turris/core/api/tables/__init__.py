"""The rows of the route table, a file for each part of the API."""
