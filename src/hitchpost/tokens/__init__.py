"""What people granted, kept secret and fresh."""
