"""A host by django-tenants: each company's rows in a schema of PostgreSQL of their own, users included."""
