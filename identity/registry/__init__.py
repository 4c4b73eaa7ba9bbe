"""What registry officers propose, and a second one of another facility confirms."""
