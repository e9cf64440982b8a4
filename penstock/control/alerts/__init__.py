"""Alerts as a resource, what makes them fire, and how that is told (docs/alerts.md)."""
