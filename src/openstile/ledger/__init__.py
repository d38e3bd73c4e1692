"""Double entry: postings that sum to zero in each currency, append-only, corrected by reversal alone."""
