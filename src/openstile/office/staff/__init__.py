"""Who may do what in the office: sign-in by passkey or OIDC, sessions, roles, and the log of what staff did."""
