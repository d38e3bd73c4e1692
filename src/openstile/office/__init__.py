"""The back office: gathers taps exactly once, prices journeys, keeps the books, forgets. It cannot process a face."""
