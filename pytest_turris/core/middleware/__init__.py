"""What wraps an operation: rate limits, idempotency, interceptors."""
