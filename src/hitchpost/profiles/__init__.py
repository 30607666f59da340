"""What a workspace may post as: the list, its health, and the pictures."""
