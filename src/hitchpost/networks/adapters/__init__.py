"""One file for each network; the catalog finds them here."""
