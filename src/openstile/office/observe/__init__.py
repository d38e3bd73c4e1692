"""What one sees of a running office: logs, metrics and spans. Nothing in them says which rider, pass or account."""
