"""The verbs, in data order: ingest · detect · dedup · quality · sample."""
