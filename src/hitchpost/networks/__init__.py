"""The window to the networks: the only room with a port, because only here the outside changes without asking."""
