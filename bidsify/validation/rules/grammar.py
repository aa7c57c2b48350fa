"""The grammar of the expression language of the BIDS schema: text to a tree of nodes.

A node is a tuple: ``("literal", value)``, ``("name", name)``, ``("list", nodes)``,
``("object",)``, ``("get", node, member)``, ``("item", node, node)``, ``("call", name, nodes)``,
``("unary", operator, node)`` or ``("binary", operator, node, node)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NoReturn

from ...errors import SchemaError

Node = tuple[Any, ...]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<string>\"[^\"]*\"|'[^']*')|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<operator>\*\*|[=!]=|<=|>=|&&|\|\||[-+*/%<>!.,()\[\]{}]))"
)
_BINARY = (
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<", "<=", ">", ">=", "in"),
    ("+", "-"),
    ("*", "/", "%"),
)
_WORDS = {"null": None, "true": True, "false": False}


def parse(text: str) -> Node:
    """Parse one expression.

    Raises:
        SchemaError: the text is not in the language.
    """
    return _Parser(text).parse()


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0

    def parse(self) -> Node:
        node = self.binary(0)
        if self.at < len(self.tokens):
            self.fail()
        return node

    def binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self.power()
        node = self.binary(level + 1)
        while (operator := self.peek()) in _BINARY[level]:
            self.at += 1
            node = ("binary", operator, node, self.binary(level + 1))
        return node

    def power(self) -> Node:
        node = self.unary()
        if self.take("**"):
            return ("binary", "**", node, self.power())
        return node

    def unary(self) -> Node:
        for operator in ("!", "-"):
            if self.take(operator):
                return ("unary", operator, self.unary())
        return self.postfix()

    def postfix(self) -> Node:
        node = self.primary()
        while True:
            if self.take("."):
                node = ("get", node, self.member())
            elif self.take("["):
                node = ("item", node, self.binary(0))
                self.need("]")
            elif node[0] == "name" and self.take("("):
                node = ("call", node[1], self.items(")"))
            else:
                return node

    def primary(self) -> Node:
        if self.at >= len(self.tokens):
            self.fail()
        kind, word = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return ("literal", float(word) if "." in word else int(word))
        if kind == "string":
            return ("literal", word[1:-1])
        if kind == "name":
            return ("literal", _WORDS[word]) if word in _WORDS else ("name", word)
        if word == "(":
            node = self.binary(0)
            self.need(")")
            return node
        if word == "[":
            return ("list", self.items("]"))
        if word != "{" or not self.take("}"):
            self.fail()
        return ("object",)

    def member(self) -> str:
        kind, word = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind != "name":
            self.fail()
        self.at += 1
        return word

    def items(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self.take(end):
            if found:
                self.need(",")
            found.append(self.binary(0))
        return tuple(found)

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, token: str) -> bool:
        is_next = self.at < len(self.tokens) and self.tokens[self.at] == ("operator", token)
        self.at += is_next
        return is_next

    def need(self, token: str) -> None:
        if not self.take(token):
            self.fail()

    def fail(self) -> NoReturn:
        msg = f"not an expression of the BIDS schema: {self.text!r}"
        raise SchemaError(msg)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if not found or found.lastgroup is None:
            msg = f"not an expression of the BIDS schema: {text!r} at {text[at : at + 10]!r}"
            raise SchemaError(msg)
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()
