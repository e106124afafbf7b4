"""What serving costs, and what the same costs by other ways: rows that are measured side by side."""
