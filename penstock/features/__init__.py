"""One small module a feature; none imports another. They meet in ``gateway.compile`` and on the line."""
