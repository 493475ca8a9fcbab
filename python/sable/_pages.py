"""Errors with a page: what it says is the class's docstring, and every message ends with where it is.

`make docs` writes the pages from the docstrings.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

#: Where the pages are, in the repository; there and nowhere else it is said.
FOLDER = "docs/errors"

#: The classes with a page, by name.
PAGES: dict[str, type[BaseException]] = {}

C = TypeVar("C", bound=type[BaseException])


class WithPage:
    """Mixed into an error class, before the exception that it is a kind of: its text ends with where the page is.

    Attributes:
      page: the sentence that says so.
    """

    page: ClassVar[str]

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.page}"


def with_page(cls: C) -> C:
    """Decorator of a class of errors, a `WithPage`: its docstring is a page.

    The docstring says when the error is raised, has a program that raises it under `RAISES`, and one that does not under
    `MENDED`; both are indented.
    """
    name = cls.__name__
    cls.page = f"See {FOLDER}/{name}.md, or help({cls.__module__ + '.' + name!r})."  # type: ignore[attr-defined]
    PAGES[name] = cls
    return cls


#: The lines before the two programs of a page.
RAISES = "A program that raises it:"
MENDED = "The program mended:"
