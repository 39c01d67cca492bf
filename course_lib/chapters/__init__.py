"""What one notebook alone uses: its exercises, and the figures that no other draws."""
