"""What `make bench` runs: ratios inside one run on one machine; nothing here fails a build."""
