"""Where employees are rung."""


def telephone(employee_key: str) -> str:
    return "+81312345678"
