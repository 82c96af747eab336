"""What the API does with a request: routes, operations, envelope, pipeline."""
