"""The company's rules for talking to customers: published versions, who has signed them, and questions about them."""
