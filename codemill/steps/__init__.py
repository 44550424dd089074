"""The verbs, in data order: ingest · detect · dedup · sample."""
