"""Looking at a finished run's rules and texts, to choose thresholds: `thresholds` and `perplexity`."""
