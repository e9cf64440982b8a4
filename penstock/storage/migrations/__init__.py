"""The schema's history: numbered, forward only. ``penstock.storage.schema.REVISIONS`` lists them."""
