"""A kind as kinds.inc and the comment that opens kernels/<kind>.c describe it."""
import re

from formula import Formula
from kinds_table import ROOT, arguments, parameters, text_of

FIELDS = ("alpha", "beta", "gamma", "delta")
# The second set of parameters is the defaults plus these: it tells alpha from 1, stays in every
# domain and is exact in binary.
OFFSETS = dict(zip(FIELDS, (0.375, 0.5, -0.25, 0.125)))


class Wrong(Exception):
    """What is wrong with a kind's comment or line."""


def comment_of(path):
    """The comment that opens the file, without its stars: lines joined by newlines."""
    if not path.exists():
        raise Wrong("there is no such file")
    match = re.match(r"/\*(.*?)\*/", path.read_text(), re.S)
    if not match:
        raise Wrong("it does not open with a comment")
    return "\n".join(re.sub(r"^ \* ?", "", line).strip() for line in match[1].split("\n")).strip()


def take_line(comment, label):
    """(the comment without the line 'Label: ... .', what the line says or None). It ends at a full
    stop that ends a line."""
    match = re.search(rf"^{label}:(.*?)\.(?:\n|\Z)", comment, re.S | re.M)
    if not match:
        if re.search(rf"^{label}:", comment, re.M):
            raise Wrong(f"'{label}:' is not ended by a full stop at the end of a line")
        return comment, None
    return comment[:match.start()] + comment[match.end():], " ".join(match[1].split())


def split_at(text, separator):
    """Splits at a separator outside parentheses."""
    parts, depth = [""], 0
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts]


def statements(comment):
    """['f(-inf) = -0', ...]: from 'f(' or 'f'(' to the end of the clause, if it has '='."""
    for clause in re.split(r"[.,;](?=\s|$)", " ".join(comment.split())):
        match = re.search(r"(?<![A-Za-z_0-9])f'?\(.*? = .*", clause)
        if match:
            yield match[0]


def evaluate(where, text, names):
    try:
        return Formula(text)(names)
    except (ValueError, ArithmeticError) as error:
        raise Wrong(f"{where}: {error}") from error


class Kind:
    def __init__(self, fields):
        number, upper, name, aliases, formula, from_output, params, bounds = fields
        self.id, self.upper, self.name = int(number), upper, name
        self.aliases = text_of(aliases).split()
        self.formula = text_of(formula)
        self.from_output = from_output
        self.parameters = parameters(params)  # [(field, name, default, domain)]
        self.bounds = arguments(bounds)
        self.defaults = {field: float(value) for field, _, value, _ in self.parameters}
        self.others = {field: value + OFFSETS[field] for field, value in self.defaults.items()}
        self.file = f"kernels/{name}.c"
        self.read_comment()

    def read_comment(self):
        text = comment_of(ROOT / self.file)
        text, derivative = take_line(text, "Derivative")
        text, kinks = take_line(text, "Kinks")
        self.title, colon, rest = text.partition(": ")
        if not colon or "\n" in self.title or not rest.startswith("y = "):
            raise Wrong("the comment does not begin 'Name: y = ...'")
        if derivative is None:
            raise Wrong("the comment has no line 'Derivative: ... .', f' in x, y and the "
                        "parameters in the syntax of docs/FORMULAS.md")
        self.text = text
        self.statements = list(statements(text))
        self.derivative = derivative
        self.kinks = split_at(kinks, ",") if kinks else []
        source = (ROOT / self.file).read_text()
        test = re.search(r"\bACT_TEST\((.*?)\);", source, re.S)
        if not test:
            raise Wrong("it has no ACT_TEST(...)")
        zero = re.search(r"\.zero = (-?[\d.]+)", test[1])
        over = re.search(r"\.zero_over = '(\w)'", test[1])
        # test_data.h has the meaning of the letters.
        scale = {None: "", "b": " / beta", "c": " / (gamma * (alpha - beta))"}
        over = over and over[1]
        self.zero = zero and over in scale and zero[1] + scale[over]

    def derivative_at(self, x, y, params):
        value, *definitions = split_at(self.derivative, ",")
        names = {"x": x, "y": y, **params}
        for definition in definitions:
            name, equals, text = definition.partition(" = ")
            if not equals:
                raise Wrong(f"Derivative: '{definition}' is not 'name = formula'")
            names[name] = evaluate("Derivative", text, names)
        return evaluate("Derivative", value, names)

    def kinks_at(self, params):
        return [evaluate("Kinks", kink, params) for kink in self.kinks]
