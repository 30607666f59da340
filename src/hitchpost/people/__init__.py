"""People: who they are, how they sign in, and the browser sessions they have."""
