"""Arrays, tracing, evaluation."""
