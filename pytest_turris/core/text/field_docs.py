"""The docstrings below the fields of a dataclass, which Python does not keep."""

import ast
import inspect
import itertools
from dataclasses import is_dataclass


def field_docs(kind: type) -> dict[str, str]:
    """The fields of a dataclass and its bases that have a docstring, each with it in Markdown."""
    classes = [one for one in kind.__mro__ if is_dataclass(one)]
    bodies = [ast.parse(inspect.getsource(one)).body[0] for one in classes]
    return {
        attribute.target.id: " ".join(docstring.value.value.split()).replace("``", "`")
        for body in bodies
        if isinstance(body, ast.ClassDef)
        for attribute, docstring in itertools.pairwise(body.body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(docstring, ast.Expr)
        and isinstance(docstring.value, ast.Constant)
        and isinstance(docstring.value.value, str)
    }
