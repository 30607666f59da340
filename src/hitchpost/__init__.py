"""Hitchpost connects people's social accounts to workspaces and keeps the connections alive."""
