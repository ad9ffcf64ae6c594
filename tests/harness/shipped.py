"""The files of contrib/ as an administrator would adapt them.

The scenarios run the very files that are shipped: only paths, ports and names
are replaced, as plain text, and a text that is not there is an error.
"""

from .site import TOP


def shipped(name, replacements):
    """The text of contrib/NAME with each key replaced by its value."""
    text = (TOP / "contrib" / name).read_text()
    for old, new in replacements.items():
        if old not in text:
            raise LookupError(f"contrib/{name} does not contain {old!r}")
        text = text.replace(old, str(new))
    return text
