"""What deployers and developers need around the product."""
