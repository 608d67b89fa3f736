"""Mutants of the core's C: every one-place slip that could have been made, found by tree-sitter.

Tables (what was learnt) are left out, and text that is no statement or expression of a function or
a constant. A mutant is text replaced in one file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tree_sitter_c
from tree_sitter import Language, Node, Parser

SWAPS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
    "+": "-", "-": "+", "*": "/", "/": "*", "&&": "||", "||": "&&",
    "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "&": "|", "|": "&", "<<": ">>", ">>": "<<",
    "++": "--", "--": "++",
}  # fmt: skip
KINDS = {
    "comparison": {"<", "<=", ">", ">=", "==", "!="},
    "arithmetic": {"+", "-", "*", "/", "+=", "-=", "*=", "/=", "++", "--", "&", "|", "<<", ">>"},
    "boolean": {"&&", "||"},
}
_INT = re.compile(r"(0x[0-9a-fA-F]+|\d+)[uUlL]*")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One slip."""

    file: str  # name in device/core
    line: int
    start: int  # byte
    end: int
    text: str  # in place of bytes start to end
    kind: str  # constant, comparison, arithmetic, boolean, negation, deletion
    was: str  # the line as it stands
    column: int  # in it, from 1

    @property
    def name(self) -> str:
        """How it is told; also its name in equivalent.txt, where lines may move."""
        text = self.text or "(deleted)"
        return f"{self.file}: {self.was}  =>  {text} [{self.kind} at {self.column}]"


def mutants(path: Path) -> list[Mutant]:
    """Every mutant of one C file, in the order of its text."""
    source = path.read_bytes()
    lines = source.decode().splitlines()
    tree = Parser(Language(tree_sitter_c.language())).parse(source)
    found = []
    for node, text, kind in _slips(tree.root_node):
        line = node.start_point[0]
        was = lines[line].strip()
        column = node.start_point[1] - len(lines[line]) + len(lines[line].lstrip()) + 1
        found.append(
            Mutant(path.name, line + 1, node.start_byte, node.end_byte, text, kind, was, column)
        )
    return found


def mutated(source: bytes, mutant: Mutant) -> bytes:
    return source[: mutant.start] + mutant.text.encode() + source[mutant.end :]


def _slips(node: Node) -> Iterator[tuple[Node, str, str]]:
    kind = node.type
    if kind.startswith("preproc") or kind in ("comment", "enumerator_list", "array_declarator"):
        return
    if kind == "number_literal":
        yield node, _other(_text(node)), "constant"
        return
    if kind == "true":
        yield node, "false", "constant"
    if kind == "false":
        yield node, "true", "constant"
    operator = node.child_by_field_name("operator")
    if operator is not None and kind in (
        "binary_expression", "assignment_expression", "update_expression",
    ):  # fmt: skip
        sign = _text(operator)
        if sign in SWAPS:
            word = next(word for word, signs in KINDS.items() if sign in signs)
            yield operator, SWAPS[sign], word
    if operator is not None and kind == "unary_expression" and _text(operator) in "!-":
        yield operator, "", "negation"
    if kind == "expression_statement":
        yield node, ";", "deletion"
    if kind in ("if_statement", "conditional_expression"):
        condition = node.child_by_field_name("condition")
        if condition is not None and _plain(condition):
            inner = _text(condition)
            yield condition, f"(!{inner})" if inner.startswith("(") else f"!({inner})", "negation"
    for child in node.children:
        yield from _slips(child)


def _plain(condition: Node) -> bool:
    """A condition without an operator of its own to swap."""
    inner = (
        condition.named_children[0] if condition.type == "parenthesized_expression" else condition
    )
    return inner.type in ("identifier", "field_expression", "call_expression")


def _other(number: str) -> str:
    """Another number of the same type."""
    if _INT.fullmatch(number):
        return f"({number} + 1)"
    plain = number.rstrip("fF")
    return f"({number} * 1.25{number[len(plain) :]})" if float(plain) else "0.1f"


def _text(node: Node) -> str:
    return (node.text or b"").decode()
