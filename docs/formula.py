"""Evaluates the formulas of FORMULAS.md in double, with the functions f and f' besides."""
import math
import re

TOKEN = re.compile(r"\s*(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|f'|[A-Za-z_]\w*|<=|>=|[-+*/()<>?:,])")

FUNCTIONS = {
    "exp": math.exp, "expm1": math.expm1, "log": math.log, "log1p": math.log1p,
    "sqrt": math.sqrt, "tanh": math.tanh, "erf": math.erf, "erfc": math.erfc, "abs": abs,
    "max": max, "min": min, "clip": lambda t, low, high: max(low, min(high, t)),
}
CONSTANTS = {"pi": math.pi, "inf": math.inf}
COMPARE = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
           ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}


class Formula:
    """Formula(text)(names): its value, where names has a number for each name, a function for each
    function that is not one of FORMULAS.md."""

    def __init__(self, text):
        self.text = text
        self.tokens = self.split(text)
        self.value = self.expression()
        if self.tokens:
            self.fail(f"at '{self.tokens[0]}'")

    def __call__(self, names):
        return self.value(names)

    def fail(self, why):
        raise ValueError(f"'{self.text}' is not a formula: {why}")

    def split(self, text):
        tokens, at = [], 0
        text = text.strip()
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                self.fail(f"at '{text[at:].strip()}'")
            tokens.append(match[1])
            at = match.end()
        return tokens

    def take(self, *wanted):
        """The next token if it is one of these."""
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in wanted else None

    def need(self, token):
        if not self.take(token):
            self.fail(f"no '{token}'" + (f" at '{self.tokens[0]}'" if self.tokens else ""))

    def expression(self):
        left = self.sum()
        operator = self.take(*COMPARE)
        if not operator:
            return left
        right = self.sum()
        self.need("?")
        then = self.expression()
        self.need(":")
        other = self.expression()
        holds = COMPARE[operator]
        return lambda names: (then if holds(left(names), right(names)) else other)(names)

    def sum(self):
        return self.chain(self.term, "+", lambda a, b: a + b, "-", lambda a, b: a - b)

    def term(self):
        return self.chain(self.unary, "*", lambda a, b: a * b, "/", lambda a, b: a / b)

    def chain(self, part, first, apply_first, second, apply_second):
        value = part()
        while operator := self.take(first, second):
            apply = apply_first if operator == first else apply_second
            value = (lambda a, b, f: lambda names: f(a(names), b(names)))(value, part(), apply)
        return value

    def unary(self):
        if self.take("-"):
            value = self.unary()
            return lambda names: -value(names)
        return self.primary()

    def primary(self):
        if self.take("("):
            value = self.expression()
            self.need(")")
            return value
        if not self.tokens:
            self.fail("it ends early")
        token = self.tokens.pop(0)
        if token[0].isdigit() or token[0] == ".":
            number = float(token)
            return lambda names: number
        if not token[0].isalpha():
            self.fail(f"at '{token}'")
        if not self.take("("):
            return lambda names: self.look_up(token, {**CONSTANTS, **names})
        arguments = [self.expression()]
        while self.take(","):
            arguments.append(self.expression())
        self.need(")")
        return lambda names: self.look_up(token, {**FUNCTIONS, **names})(
            *(argument(names) for argument in arguments))

    def look_up(self, token, names):
        if token not in names:
            self.fail(f"it does not know '{token}'")
        return names[token]
