"""Every place of the hub that refuses something, with the sentences that it may say."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[3]
# what is called with a sentence, and as which argument of it
SENTENCE_OF = {
    "AddressError": 0,
    "ConflictError": 0,
    "ForbiddenError": 0,
    "Gap": 2,
    "HTTPException": 1,
    "InvalidError": 0,
    "NotAllowedError": 0,
    "Problem.of": 1,
    "SignedOutError": 0,
    "TableError": 0,
    "WrongRoleError": 0,
}
# what makes its sentence of its arguments, in __init__
OWN_SENTENCE = ("GoneError", "NotFoundError", "TooManyTriesError")
# functions that return a sentence which others tell, and errors that others retell, by file
_SAYING = {
    "hub/api/refusals.py": ("_in_our_words",),
    "hub/domain/readiness.py": ("_nobody",),
    "hub/domain/scope.py": ("out_of_scope",),
}
_RETOLD = {"hub/domain/period.py": "ValueError"}
# who check what somebody reaches, and call it by this argument
_CHECKS = {"check_cell": 2, "check_reach": 2}
# values, by the last name of the expression that gives them; of others "X1"
_VALUES = {
    "field": ["until"],
    "join": ["X1", "X1, X2"],
    "isoformat": ["2026-11-24T08:00:00+08:00"],
    "post": ["leader"],
    "role": ["dispatcher"],
    "state": ["closed"],
}
_FORMATTED = {"%Y-%m-%d": "2026-11-24"}
_ERRORS = "hub/domain/errors.py"
_MOST = 400  # sentences of one place

Known = Mapping[str, list[ast.expr]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is refused. sentences: none where `source` is not resolved."""

    path: str
    line: int
    source: str
    sentences: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def places(root: Path = ROOT) -> Iterator[Place]:
    """All of them, file by file."""
    files = [_File.read(root, path) for path in sorted((root / "hub").rglob("*.py"))]
    own = _own_sentences(next(f for f in files if f.path == _ERRORS))
    called = [text for file in files for text in file.called()]
    for file in files:
        yield from file.places(own, called)


def kinds(root: Path = ROOT) -> set[str]:
    """The names of every kind of refusal, wherever in the hub it is defined."""
    trees = (ast.parse(p.read_text(encoding="utf-8")) for p in sorted((root / "hub").rglob("*.py")))
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"DomainError"}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found - {"DomainError"}


@dataclass(slots=True)
class _File:
    path: str
    tree: ast.Module
    functions: dict[str, ast.FunctionDef]
    constants: dict[str, list[ast.expr]]
    own: dict[ast.AST, ast.FunctionDef] = field(default_factory=dict)  # each node's function

    @classmethod
    def read(cls, root: Path, path: Path) -> _File:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
        found = cls(path.relative_to(root).as_posix(), tree, functions, _assigned(tree.body))
        for function in functions.values():  # an inner one comes after the one around it
            found.own |= dict.fromkeys(ast.walk(function), function)
        return found

    def places(
        self, own: Mapping[str, tuple[list[str], ast.expr, Known]], called: list[str]
    ) -> Iterator[Place]:
        for node in ast.walk(self.tree):
            match node:
                case ast.Return(value=ast.Constant(value=None)):
                    pass
                case ast.Return(value=ast.expr() as value) if self._says(node):
                    yield self._place(node, value, called)
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            name = name if name in SENTENCE_OF else name.rpartition(".")[2]
            if name in own:
                names, sentence, known = own[name]
                given = {n: [a] for n, a in zip(names, node.args, strict=False)}
                reader = _Reader(self, {**self._known(node), **known, **given}, called)
                yield Place(self.path, node.lineno, "", tuple(reader.texts(sentence)))
            elif name == _RETOLD.get(self.path) or name in SENTENCE_OF:
                at = SENTENCE_OF.get(name, 0)
                yield self._place(node, node.args[at] if len(node.args) > at else node, called)

    def called(self) -> Iterator[str]:
        """What is called something where it is checked who reaches it."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in _CHECKS:
                reader = _Reader(self, self._known(node), [])
                yield from reader.texts(node.args[_CHECKS[ast.unparse(node.func)]])

    def _says(self, node: ast.AST) -> bool:
        function = self.own.get(node)
        return function is not None and function.name in _SAYING.get(self.path, ())

    def _place(self, node: ast.expr | ast.stmt, said: ast.expr, called: list[str]) -> Place:
        known = self._known(node)
        reader = _Reader(self, known, called)
        texts = tuple(reader.texts(said)) if reader.is_literal(said) else ()
        return Place(self.path, node.lineno, ast.unparse(said), texts)

    def _known(self, node: ast.AST) -> Known:
        function = self.own.get(node)
        return self.constants | (_assigned(ast.walk(function)) if function else {})


@dataclass(slots=True)
class _Reader:
    """Reads the sentences that an expression may give."""

    file: _File
    known: Known
    called: list[str]
    open: set[str] = field(default_factory=set)  # names that are being looked up

    def is_literal(self, node: ast.expr) -> bool:
        """Whether the sentence is written here, or where a name of here was assigned."""
        if isinstance(node, ast.Name):
            return any(self.is_literal(n) for n in self.known.get(node.id, ()))
        if isinstance(node, ast.IfExp):
            return self.is_literal(node.body) and self.is_literal(node.orelse)
        if isinstance(node, ast.BinOp):
            return self.is_literal(node.left)
        return isinstance(node, ast.Constant | ast.JoinedStr)

    def texts(self, node: ast.expr) -> list[str]:
        """The texts, with values filled in."""
        return list(dict.fromkeys(self._texts(node)))[:_MOST]

    def _texts(self, node: ast.expr) -> Iterator[str]:
        match node:
            case ast.Constant(value=str() as text):
                yield text
            case ast.JoinedStr():
                yield from map("".join, product(*map(self.texts, node.values)))
            case ast.FormattedValue():
                yield from self._formatted(node)
            case ast.BinOp(op=ast.Add()):
                yield from map("".join, product(self.texts(node.left), self.texts(node.right)))
            case ast.BinOp(op=ast.Mult(), left=ast.Constant(value=str() as text)):  # "s" * (n > 1)
                yield from ("", text)
            case ast.IfExp():
                yield from (*self.texts(node.body), *self.texts(node.orelse))
            case ast.BoolOp(op=ast.Or()):
                yield from (text for value in node.values for text in self.texts(value))
            case ast.Name(id=name) if name in self.known and name not in self.open:
                self.open.add(name)
                yield from (text for n in self.known[name] for text in self.texts(n))
                self.open.remove(name)
            case ast.Call(func=ast.Name(id=name)) if name in self.file.functions:
                yield from self._returned(self.file.functions[name])
            case ast.Call(func=ast.Attribute(value=ast.JoinedStr() as inner, attr="rstrip")):
                yield from (text.rstrip() for text in self.texts(inner))
            case _:
                yield from self._filled(node)

    def _formatted(self, node: ast.FormattedValue) -> Iterator[str]:
        if node.conversion == ord("r"):
            yield from (repr(text) for text in (*self.texts(node.value), "it's"))
        elif node.format_spec is not None:
            yield _FORMATTED.get(ast.unparse(node.format_spec).strip("f'\""), "7")
        else:
            yield from self.texts(node.value)

    def _returned(self, function: ast.FunctionDef) -> Iterator[str]:
        inner = _Reader(self.file, _assigned(ast.walk(function)), self.called)
        for node in ast.walk(function):
            if isinstance(node, ast.Return) and node.value is not None:
                yield from inner.texts(node.value)

    def _filled(self, node: ast.expr) -> list[str]:
        while isinstance(node, ast.Call | ast.Subscript):
            node = node.func if isinstance(node, ast.Call) else node.value
        name = ast.unparse(node).rpartition(".")[2]
        return self.called if name == "what" and self.called else _VALUES.get(name, ["X1"])


def _assigned(nodes: Iterator[ast.AST] | list[ast.stmt]) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found.setdefault(name, []).append(value)
    return found


def _own_sentences(errors: _File) -> dict[str, tuple[list[str], ast.expr, Known]]:
    """Of each error that makes its sentence itself: its arguments, the sentence, what it uses."""
    found: dict[str, tuple[list[str], ast.expr, Known]] = {}
    for made in (n for n in errors.tree.body if isinstance(n, ast.ClassDef)):
        if made.name in OWN_SENTENCE:
            init = next(n for n in made.body if isinstance(n, ast.FunctionDef))
            said = next(
                n.args[0]
                for n in ast.walk(init)
                if isinstance(n, ast.Call) and ast.unparse(n.func) == "super().__init__"
            )
            names = [a.arg for a in init.args.args[1:]]
            found[made.name] = names, said, _assigned(ast.walk(init))
    return found
