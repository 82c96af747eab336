"""Code that wraps an operation: rate limits, idempotency, interceptors."""
