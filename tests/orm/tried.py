"""What both scripts print."""


def show(name, action):
    """Runs `action` and prints what it answers, or the error."""
    try:
        print(name, '=>', action())
    except Exception as error:  # pylint: disable=broad-except
        print(name, '!!', type(error).__name__, str(error).split('\n', maxsplit=1)[0])
