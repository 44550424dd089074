"""What the steps on web pages share: hosts and domains, patterns of URLs, labels, and classifiers."""
