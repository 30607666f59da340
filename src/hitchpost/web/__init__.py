"""What every room with pages shares: the shell around the app, pages and their look, forms, problems, logs."""
