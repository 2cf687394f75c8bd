"""What the project costs beside what else one could do: made events, measured variants, and the page that tells of them."""
