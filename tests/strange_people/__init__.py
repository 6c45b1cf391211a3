"""A host that keeps its people in every way but the plain one; an app without migrations."""
